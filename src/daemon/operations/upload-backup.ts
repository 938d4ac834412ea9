import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ImportContainerRequest } from "../../contract/tremplin_pb.js";
import type { Engine } from "../../engine/engine.ts";
import type { UploadedImage, UploadOptions } from "../../engine/images.ts";
import { type ArchiveFormat, archiveFormat } from "../backups/archive-format.ts";
import { type BackupMetadata, parseBackupMetadata, pathsTo } from "../backups/backup-metadata.ts";
import { freeSpace } from "../backups/free-space.ts";
import { MemberRules } from "../backups/member-rules.ts";
import { passOn } from "../backups/passing-on.ts";
import { readMetadata } from "../backups/read-metadata.ts";
import { isTooSmall, planUpload, type UploadPlan } from "../backups/upload-plan.ts";
import { engineArchitecture } from "../images/architecture.ts";
import { type UploadedSource, uploadedImage } from "./image-source.ts";
import type { OperationContext } from "./operation.ts";
import { openSharedFile, resolveShared } from "./shared-file.ts";

/** An architecture that the engine cannot run. The cause of an error that says so. */
export class WrongArchitecture {
  readonly device: string;
  readonly container: string;

  constructor(device: string, container: string) {
    this.device = device;
    this.container = container;
  }
}

/** A backup that the engine has as an image, and what was learned of it on the way. */
export interface UploadedBackup {
  readonly image: UploadedSource;
  readonly targets: readonly string[];
  /** The symbolic links on the ways to them. */
  readonly links: ReadonlySet<string>;
}

/**
 * Gives a backup to the engine. Everything that can be known before a byte is sent is checked before; the rest is
 * checked while it is sent, and the engine gets the end of it only when all is good (behaviour.md 5.13, 12 items
 * 49, 62, 63). `tell` hears the part of the file that was read, from 0 to 1.
 */
export async function uploadBackup(
  engine: Engine,
  request: ImportContainerRequest,
  shared: string,
  context: OperationContext,
  tell: (part: number, bytes: number) => void,
): Promise<UploadedBackup> {
  const { signal } = context;
  await using file = await openSharedFile(shared, resolveShared(shared, request.importPath));
  const { size } = await file.stat();
  const format = await archiveFormat(file);
  const metadata = parseBackupMetadata(await readMetadata(file, format, signal));
  checkArchitecture(engine, metadata);
  const rooms = await freeSpace(engine, Number(request.availableDiskSpace), signal);
  let rules = new MemberRules();
  const upload = (plan: UploadPlan): Promise<UploadedSource> =>
    uploadedImage(engine, context, (options) => {
      rules = new MemberRules(new Set(metadata.targets.flatMap(pathsTo)));
      const onPacked = (bytes: number): void => tell(bytes / size, bytes);
      return send(engine, request.containerName, file, { format, plan, rules, onPacked, signal }, options);
    });
  const plan = await planUpload(file, format, { rooms, counted: false, signal });
  const image = await upload(plan).catch(async (error) => {
    if (!isTooSmall(error)) throw error;
    // It holds more than what was likely: now it is counted, and may fit in another way.
    return upload(await planUpload(file, format, { rooms, counted: true, signal }));
  });
  return { image, targets: metadata.targets, links: rules.links };
}

interface Sending {
  readonly format: ArchiveFormat;
  readonly plan: UploadPlan;
  readonly rules: MemberRules;
  readonly onPacked: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Throws what is wrong with the backup itself where that is what broke the upload. */
async function send(
  engine: Engine,
  name: string,
  file: FileHandle,
  { plan, ...sending }: Sending,
  options: UploadOptions,
): Promise<UploadedImage> {
  let cause: unknown;
  let passing: Promise<void> | undefined;
  async function* passed(): AsyncGenerator<Buffer, void, void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    passing = promise;
    try {
      yield* passOn(file, { ...sending, unpacked: plan.unpacked, onPlain: plan.check });
    } catch (error) {
      cause = error;
      throw error;
    } finally {
      resolve();
    }
  }
  try {
    return await engine.images.upload(`${name}.tar`, Readable.from(passed()), options);
  } catch (error) {
    await passing;
    throw cause ?? error;
  } finally {
    // The file is closed after this, and nobody may still read it.
    await passing;
  }
}

function checkArchitecture(engine: Engine, { architecture }: BackupMetadata): void {
  const { architectures } = engine.info;
  if (architectures.includes(engineArchitecture(architecture))) return;
  const [own = ""] = architectures;
  throw new TremplinError(
    "failed",
    `the backup is of a container for ${architecture}, which this machine does not run: it is ${architectures.join(", ")}`,
    new WrongArchitecture(own, architecture),
  );
}
