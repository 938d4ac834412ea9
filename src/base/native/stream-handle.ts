import { randomUUID } from "node:crypto";
import { createServer, Socket } from "node:net";

/** Node's internal handle of a stream, which owns its file descriptor. */
export interface StreamHandle {
  readonly fd: number;
  open(fd: number): number;
  listen(backlog: number): number;
  close(): void;
  onconnection?: (status: number, client: StreamHandle) => void;
}

type Kind = "socket" | "server";
type HandleClass = new (kind: number) => StreamHandle;

let handleClass: Promise<HandleClass> | undefined;

/**
 * Makes a handle for a file descriptor. Node exposes the class only through a server's handle
 * (docs/decisions/0007-vsock.md).
 */
export async function streamHandle(fd: number, kind: Kind): Promise<StreamHandle> {
  handleClass ??= findClass();
  const Handle = await handleClass;
  const handle = new Handle(kind === "socket" ? 0 : 1);
  const code = handle.open(fd);
  if (code !== 0) throw new Error(`node cannot use the descriptor ${fd}: error ${code}`);
  return handle;
}

/** A socket on a handle; each direction ends separately. */
export function socketOn(handle: StreamHandle): Socket {
  return new Socket({ handle, allowHalfOpen: true, readable: true, writable: true } as never);
}

async function findClass(): Promise<HandleClass> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  // An abstract socket name creates no file. A name that other users could guess, they could take.
  server.listen(`\0tremplin-handle-${randomUUID()}`, resolve);
  await promise;
  const { _handle: handle } = server as unknown as { _handle: StreamHandle };
  server.close();
  return handle.constructor as HandleClass;
}
