import type { Socket } from "node:net";

/**
 * Closes a connection by a reset, at once. Node's own resetAndDestroy() sends the end of the data before, so that the
 * peer could take what it has for everything.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  (socket as { resetAndClosing?: boolean }).resetAndClosing = true;
  socket.destroy();
}
