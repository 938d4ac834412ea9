import type { Clock } from "../base/async/clock.ts";

const INTERVAL = 5_000;
/** Less than this is not worth a collection. Bytes. */
const GROWTH = 4 * 1024 * 1024;

/**
 * Gives memory back after work, until the signal aborts. The runtime collects garbage when it allocates, so a
 * daemon that falls quiet keeps what its last work left behind for as long as it is quiet.
 */
export async function collectGarbageWhenIdle(
  isBusy: () => boolean,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { gc } = globalThis;
  if (!gc) return;
  let settled = 0;
  while (!signal.aborted) {
    await clock.sleep(INTERVAL, signal).catch(() => undefined);
    if (signal.aborted || isBusy() || process.memoryUsage.rss() < settled + GROWTH) continue;
    gc({ type: "major", execution: "sync", flavor: "last-resort" });
    settled = process.memoryUsage.rss();
  }
}
