import { once } from "node:events";
import type { Socket } from "node:net";

/** Resolves when the socket takes more bytes. Rejects if it is closed before. */
export async function drained(socket: Socket): Promise<void> {
  const closed = new AbortController();
  const close = (): void => closed.abort();
  socket.once("close", close);
  try {
    await once(socket, "drain", { signal: closed.signal });
  } finally {
    socket.off("close", close);
  }
}
