import type { FileHandle } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type ArchiveFormat, isReadByEngines } from "./archive-format.ts";
import { findShortage, InsufficientSpace, type StorageTarget } from "./free-space.ts";
import { countUnpacked } from "./unpack.ts";
import { estimateUnpackedSize } from "./unpacked-size.ts";

/** How a backup is sent to the engine. */
export interface UploadPlan {
  /** The engine gets the uncompressed archive, not the file as it is. */
  readonly isDecompressed: boolean;
  /** Throws `failed` with an InsufficientSpace as cause if an uncompressed archive of that many bytes does not fit. */
  check(uncompressed: number): void;
}

/**
 * Decides from its size and the free space how a backup is uploaded. Decompressing xz is so slow that it happens only
 * once, on the way to the engine, if there is space for the uncompressed archive. What engines cannot read is always
 * decompressed on the way. Everything else is sent as it is:
 * with an uncompressed archive the engine saves less time than it needs to hash and store it
 * (docs/decisions/0010-import-unpacks.md). Sizes are estimated; only if the estimate does not fit, or with
 * `countExactly`, the file is decompressed once to count. `unpacksLocally`: the daemon unpacks the backup, and the
 * engine stores no image of it. Throws `failed` with an InsufficientSpace as cause.
 */
export async function planUpload(
  file: FileHandle,
  format: ArchiveFormat,
  options: {
    targets: readonly StorageTarget[];
    unpacksLocally: boolean;
    countExactly: boolean;
    signal: AbortSignal;
  },
): Promise<UploadPlan> {
  const { targets, unpacksLocally, countExactly, signal } = options;
  const { size: compressed } = await file.stat();
  const mustDecompress = !unpacksLocally && !(await isReadByEngines(file, format));
  const canDecompress = mustDecompress || (format === "xz" && !unpacksLocally);
  const lack = (uncompressed: number, isDecompressed: boolean): InsufficientSpace | undefined => {
    const image = unpacksLocally ? 0 : isDecompressed ? uncompressed : compressed;
    return findShortage(targets, { container: uncompressed, image });
  };
  const plan = (isDecompressed: boolean): UploadPlan => ({
    isDecompressed,
    check(uncompressed) {
      const lacking = lack(uncompressed, isDecompressed);
      if (lacking) throw insufficientSpaceError(lacking);
    },
  });
  const estimate = await estimateUnpackedSize(file, format);
  if (!countExactly && canDecompress && !lack(estimate, true)) return plan(true);
  if (!countExactly && !mustDecompress && !lack(estimate, false)) return plan(false);
  const exact = format === "tar" ? compressed : await countUnpacked(file, format, signal);
  const exactPlan = plan(mustDecompress || (canDecompress && !lack(exact, true)));
  exactPlan.check(exact);
  return exactPlan;
}

function insufficientSpaceError(lack: InsufficientSpace): TremplinError {
  const { target, required } = lack;
  return new TremplinError(
    "failed",
    `not enough disk space for the backup: ${target.name} has ${target.available} bytes available, and ${required} are needed; free some and try again`,
    lack,
  );
}

/** Whether the error has an InsufficientSpace as its cause. */
export function isInsufficientSpace(error: unknown): boolean {
  return error instanceof TremplinError && error.cause instanceof InsufficientSpace;
}
