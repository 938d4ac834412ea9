import { createServer, Socket } from "node:net";

/** Node's own handle of a stream, made of a file descriptor that it then owns. */
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

/** A handle for a descriptor. Node hands out its class only through a server that has one (decision 7). */
export async function streamHandle(fd: number, kind: Kind): Promise<StreamHandle> {
  handleClass ??= findClass();
  const Handle = await handleClass;
  const handle = new Handle(kind === "socket" ? 0 : 1);
  const code = handle.open(fd);
  if (code !== 0) throw new Error(`node cannot use the descriptor ${fd}: error ${code}`);
  return handle;
}

/** A socket on a handle; each side ends by itself. */
export function socketOn(handle: StreamHandle): Socket {
  return new Socket({ handle, allowHalfOpen: true, readable: true, writable: true } as never);
}

async function findClass(): Promise<HandleClass> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  // An abstract name: nothing appears in any folder.
  server.listen(`\0tremplin-handle-${process.pid}`, resolve);
  await promise;
  const { _handle: handle } = server as unknown as { _handle: StreamHandle };
  server.close();
  return handle.constructor as HandleClass;
}
