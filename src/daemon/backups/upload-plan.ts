import type { FileHandle } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { findShortage, InsufficientSpace, type StorageTarget } from "./free-space.ts";
import { countUnpacked } from "./unpack.ts";
import { estimateUnpackedSize } from "./unpacked-size.ts";

/** How a backup becomes a container. */
export interface UploadPlan {
  /** Given to the engine as a plain archive, or as the file is. */
  readonly isDecompressed: boolean;
  /** Throws `failed` with a Shortage as cause when a plain archive of so many bytes cannot fit. */
  check(plain: number): void;
}

/**
 * Decides how a backup is uploaded, from its size and the free space. Unpacking xz takes so long that it is done only
 * once, on the way, where there is room for the plain archive. Everything else goes as it is: what an engine gains
 * by a plain archive it loses by hashing and storing it (numbers.md). Sizes are first what is likely; only when that
 * does not fit, the file is unpacked once to count, as it is when `counted` asks for it. `here`: it is unpacked by
 * us, and no engine keeps an image of it.
 * Throws `failed` with a Shortage as cause.
 */
export async function planUpload(
  file: FileHandle,
  format: ArchiveFormat,
  options: { rooms: readonly StorageTarget[]; here: boolean; counted: boolean; signal: AbortSignal },
): Promise<UploadPlan> {
  const { rooms, here, counted, signal } = options;
  const { size: packed } = await file.stat();
  const unpacks = format === "xz" && !here;
  const lack = (plain: number, unpacked: boolean): InsufficientSpace | undefined =>
    findShortage(rooms, { container: plain, image: here ? 0 : unpacked ? plain : packed });
  const plan = (unpacked: boolean): UploadPlan => ({
    isDecompressed: unpacked,
    check(plain) {
      const lacking = lack(plain, unpacked);
      if (lacking) throw insufficientSpaceError(lacking);
    },
  });
  const likely = await estimateUnpackedSize(file, format);
  if (!counted && unpacks && !lack(likely, true)) return plan(true);
  if (!counted && !lack(likely, false)) return plan(false);
  const plain = format === "tar" ? packed : await countUnpacked(file, format, signal);
  const sure = plan(unpacks && !lack(plain, true));
  sure.check(plain);
  return sure;
}

function insufficientSpaceError(lack: InsufficientSpace): TremplinError {
  const { target: room, required } = lack;
  return new TremplinError(
    "failed",
    `there is not enough room for the backup: ${room.name} has ${room.available} bytes free, it needs ${required}; free some and try again`,
    lack,
  );
}

/** Whether the error says that there is not enough room. */
export function isInsufficientSpace(error: unknown): boolean {
  return error instanceof TremplinError && error.cause instanceof InsufficientSpace;
}
