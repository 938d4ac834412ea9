import type { Http2Session } from "node:http2";

/** More than all streams of a connection use in one round trip. */
const BYTES = 16 * 1024 * 1024;

/**
 * Lets the streams of a connection send as much as each of them may. Node counts what has arrived as read for the
 * connection, so this keeps nothing in memory: what each stream may send before it is read does that.
 */
export function widenConnection(session: Http2Session): void {
  if (!session.destroyed) session.setLocalWindowSize(BYTES);
}
