import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { UploadedImage, UploadOptions } from "../../../engine/resources/images.ts";
import type { ArchiveFormat } from "../../backups/archive-format.ts";
import type { BackupMetadata } from "../../backups/backup-metadata.ts";
import { EngineDevices } from "../../backups/engine-devices.ts";
import { MemberRules } from "../../backups/member-rules.ts";
import { streamVerified } from "../../backups/stream-verified.ts";
import type { UploadPlan } from "../../backups/upload-plan.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext } from "../runner/operation.ts";
import type { UploadedImageSource } from "../uploaded-images.ts";
import { type OpenBackup, withPlan } from "./open-backup.ts";

/** A backup that was uploaded to the engine as an image. */
export interface UploadedBackup {
  readonly image: UploadedImageSource;
  /** To be removed once the engine has unpacked it. */
  readonly devices: EngineDevices;
}

/**
 * Uploads a backup as an image. Checks it meanwhile, and sends the last bytes only when all of it is valid. Calls
 * `onRead` with the bytes of the file that were read.
 */
export async function uploadBackup(
  { engine: current, uploads }: Pick<OperationDeps, "engine" | "uploads">,
  name: string,
  backup: OpenBackup,
  context: OperationContext,
  onRead: (bytes: number) => void,
): Promise<UploadedBackup> {
  const { signal } = context;
  const engine = current();
  const { file, format, metadata } = backup;
  assertReadByEngines(metadata);
  let devices = new EngineDevices();
  const image = await withPlan(backup, { unpacksLocally: false, signal }, (plan) =>
    uploads.add(engine, context, (options) => {
      devices = new EngineDevices();
      const rules = new MemberRules(devices);
      return send(engine, name, file, { format, plan, rules, onPacked: onRead, signal }, options);
    }),
  );
  return { image, devices };
}

/** The daemon can mend a metadata.yaml only where it unpacks the backup itself. */
function assertReadByEngines({ mended }: BackupMetadata): void {
  if (mended.length === 0) return;
  throw new TremplinError(
    "invalid",
    `the engine has to unpack this backup, and cannot read ${mended.join(", ")} in its metadata.yaml: correct it there (a date is a number of seconds, properties are names with values)`,
  );
}

interface Sending {
  readonly format: ArchiveFormat;
  readonly plan: UploadPlan;
  readonly rules: MemberRules;
  readonly onPacked: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Throws the fault of the backup itself where that broke the upload. */
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
      yield* streamVerified(file, { ...sending, isDecompressed: plan.isDecompressed, onPlain: plan.check });
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
