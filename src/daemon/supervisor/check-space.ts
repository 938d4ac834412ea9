import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";

const MIB = 1024 ** 2;
/** The log of an engine's database grows by files of 8 MiB, of which it makes some ahead. */
const NEEDED = 32 * MIB;

/**
 * Throws `failed` when the engine's database would have no space. An engine starts all the same then, calls itself
 * ready, and fails at the first thing that it should do.
 */
export async function checkSpace(engineFolder: string): Promise<void> {
  const state = dirname(engineFolder);
  const { bavail, bsize } = await statfs(state);
  const free = bavail * bsize;
  if (free >= NEEDED) return;
  throw new TremplinError(
    "failed",
    `there is no space left for the engine's database: ${Math.floor(free / MIB)} MiB are free where ${state} lies, and it needs ${NEEDED / MIB}; make room there and try again`,
  );
}
