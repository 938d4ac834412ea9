import type { Logger } from "../../base/logger.ts";

/**
 * Whether a caller is served, by its context id. Each that is not is named in the log: as a warning once, and
 * then as debug, since who is turned away may go on calling.
 */
export function vsockGuard(peers: readonly number[], log: Logger): (cid: number) => boolean {
  const seen = new Set<number>();
  return (cid) => {
    if (peers.includes(cid)) return true;
    const level = seen.has(cid) ? "debug" : "warn";
    seen.add(cid);
    log[level]({ cid }, "a caller on vsock is none of those served, and was turned away");
    return false;
  };
}
