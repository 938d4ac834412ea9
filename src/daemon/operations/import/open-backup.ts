import type { FileHandle } from "node:fs/promises";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { ImportContainerRequest } from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import { type ArchiveFormat, detectArchiveFormat } from "../../backups/archive-format.ts";
import { type BackupMetadata, parseBackupMetadata } from "../../backups/backup-metadata.ts";
import { freeSpace, type StorageTarget } from "../../backups/free-space.ts";
import { readMetadata } from "../../backups/read-metadata.ts";
import { isInsufficientSpace, planUpload, type UploadPlan } from "../../backups/upload-plan.ts";
import { openSharedFile, resolveShared } from "../shared-file.ts";

/** An architecture that the engine cannot run. The cause of an error that says so. */
export class WrongArchitecture {
  readonly device: string;
  readonly container: string;

  constructor(device: string, container: string) {
    this.device = device;
    this.container = container;
  }
}

/** A backup that passed all checks that need only its metadata. */
export interface OpenBackup extends AsyncDisposable {
  readonly file: FileHandle;
  readonly format: ArchiveFormat;
  readonly metadata: BackupMetadata;
  readonly targets: readonly StorageTarget[];
}

/** Opens a backup of a container that the engine can run (docs/contract.md#importcontainer). Throws its first fault. */
export async function openBackup(
  engine: Engine,
  request: ImportContainerRequest,
  shared: string,
  signal: AbortSignal,
): Promise<OpenBackup> {
  await using stack = new AsyncDisposableStack();
  const file = stack.use(await openSharedFile(shared, resolveShared(shared, request.importPath)));
  const format = await detectArchiveFormat(file);
  const text = await readMetadata(file, format, signal);
  const metadata = parseBackupMetadata(text, Date.now());
  checkArchitecture(engine, metadata);
  const targets = await freeSpace(engine, Number(request.availableDiskSpace), signal);
  const held = stack.move();
  return { file, format, metadata, targets, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Calls `act` with a plan by the likely size of a backup, and again with its counted size where that was too small. */
export async function withPlan<T>(
  { file, format, targets }: OpenBackup,
  options: { readonly unpacksLocally: boolean; readonly signal: AbortSignal },
  act: (plan: UploadPlan) => Promise<T>,
): Promise<T> {
  const plan = await planUpload(file, format, { ...options, targets, countExactly: false });
  return await act(plan).catch(async (error) => {
    if (!isInsufficientSpace(error)) throw error;
    return act(await planUpload(file, format, { ...options, targets, countExactly: true }));
  });
}

function checkArchitecture(engine: Engine, { architecture }: BackupMetadata): void {
  const { architectures } = engine.info;
  if (architectures.includes(architecture)) return;
  const [own = ""] = architectures;
  throw new TremplinError(
    "failed",
    `the backup is of a container for ${architecture}, which this machine does not run: it is ${architectures.join(", ")}`,
    new WrongArchitecture(own, architecture),
  );
}
