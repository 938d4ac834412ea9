import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../base/async/clock.ts";

const INTERVAL_MS = 5_000;
/** A smaller growth is not worth a collection. */
const MIN_GROWTH_BYTES = 4 * 1024 * 1024;

/**
 * Collects garbage after work, until the signal aborts. The runtime collects only when it allocates: without this, an
 * idle daemon would keep the memory of its last operation.
 */
export async function collectGarbageWhenIdle(
  isBusy: () => boolean,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const gc = garbageCollector();
  let baseline = 0;
  while (!signal.aborted) {
    await clock.sleep(INTERVAL_MS, signal).catch(() => undefined);
    if (signal.aborted || isBusy() || process.memoryUsage.rss() < baseline + MIN_GROWTH_BYTES) continue;
    gc({ type: "major", execution: "sync", flavor: "last-resort" });
    baseline = process.memoryUsage.rss();
  }
}

/**
 * The one of V8. `--expose-gc` on the command line would give it as well, but the code that Node has compiled of its own
 * modules does not fit that flag: each start would compile them again, which takes longer than all else in it.
 */
function garbageCollector(): NonNullable<typeof globalThis.gc> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as NonNullable<typeof globalThis.gc>;
  setFlagsFromString("--no-expose-gc");
  return gc;
}
