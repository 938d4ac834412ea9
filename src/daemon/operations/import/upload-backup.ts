import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Engine } from "../../../engine/engine.ts";
import type { UploadedImage, UploadOptions } from "../../../engine/resources/images.ts";
import type { ArchiveFormat } from "../../backups/archive-format.ts";
import { pathAndParents } from "../../backups/backup-metadata.ts";
import { MemberRules } from "../../backups/member-rules.ts";
import { streamVerified } from "../../backups/stream-verified.ts";
import type { UploadPlan } from "../../backups/upload-plan.ts";
import { type UploadedSource, uploadedImage } from "../create/image-source.ts";
import type { OperationContext } from "../runner/operation.ts";
import { type OpenBackup, withPlan } from "./open-backup.ts";

/** A backup that the engine has as an image, and what was learned of it on the way. */
export interface UploadedBackup {
  readonly image: UploadedSource;
  /** The symbolic links on the ways to the targets of its templates. */
  readonly links: ReadonlySet<string>;
}

/**
 * Gives a backup to the engine. It is checked while it is sent, and the engine gets the end of it only when all is
 * good. `tell` hears the bytes of the file that were read.
 */
export async function uploadBackup(
  engine: Engine,
  name: string,
  backup: OpenBackup,
  context: OperationContext,
  tell: (bytes: number) => void,
): Promise<UploadedBackup> {
  const { signal } = context;
  const { file, format, metadata } = backup;
  let rules = new MemberRules();
  const image = await withPlan(backup, { unpacksLocally: false, signal }, (plan) =>
    uploadedImage(engine, context, (options) => {
      rules = new MemberRules(new Set(metadata.targets.flatMap(pathAndParents)));
      return send(engine, name, file, { format, plan, rules, onPacked: tell, signal }, options);
    }),
  );
  return { image, links: rules.links };
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
