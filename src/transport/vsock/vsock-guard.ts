import type { Logger } from "../../base/logger.ts";

/**
 * Whether to serve a caller, by its context id. Logs every rejected caller: the first time as a warning, then at debug,
 * since it may go on calling.
 */
export function vsockGuard(
  peers: Pick<readonly number[], "includes">,
  log: Logger,
): (cid: number) => boolean {
  const seen = new Set<number>();
  return (cid) => {
    if (peers.includes(cid)) return true;
    const level = seen.has(cid) ? "debug" : "warn";
    seen.add(cid);
    log[level]({ cid }, "rejected a caller on vsock: its context id is not among the allowed ones");
    return false;
  };
}
