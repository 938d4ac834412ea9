import type { FileHandle } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { likelySize } from "./likely-size.ts";
import { type Need, type Room, type Shortage, shortage } from "./room.ts";
import { countUnpacked } from "./unpack.ts";

/** How a backup is given to the engine. */
export interface UploadPlan {
  /** As a plain archive, or as the file is. */
  readonly unpacked: boolean;
  /** Throws `failed` with a Shortage as cause when a plain archive of so many bytes cannot fit. */
  check(plain: number): void;
}

/**
 * Decides how a backup is uploaded, from its size and the free space. An engine unpacks gzip and xz with one slow
 * program, so these are unpacked on the way where there is room for the plain archive. Sizes are first what is
 * likely; only when that does not fit the file is unpacked once to count. Throws `failed` with a Shortage as cause.
 */
export async function planUpload(
  file: FileHandle,
  format: ArchiveFormat,
  rooms: readonly Room[],
  signal: AbortSignal,
): Promise<UploadPlan> {
  const { size: packed } = await file.stat();
  const plan = (unpacked: boolean): UploadPlan => ({
    unpacked,
    check(plain) {
      const lack = shortage(rooms, need(plain, unpacked ? plain : packed));
      if (lack) throw tooSmall(lack);
    },
  });
  const fits = (plain: number, image: number): boolean => !shortage(rooms, need(plain, image));
  const unpacks = format === "gzip" || format === "xz";
  const likely = await likelySize(file, format);
  if (unpacks && fits(likely, likely)) return plan(true);
  if (fits(likely, packed)) return plan(false);
  const plain = format === "tar" ? packed : await countUnpacked(file, format, signal);
  const counted = plan(unpacks && fits(plain, plain));
  counted.check(plain);
  return counted;
}

function need(container: number, image: number): Need {
  return { image, container };
}

function tooSmall(lack: Shortage): TremplinError {
  const { room, required } = lack;
  return new TremplinError(
    "failed",
    `there is not enough room for the backup: ${room.name} has ${room.available} bytes free, it needs ${required}; free some and try again`,
    lack,
  );
}
