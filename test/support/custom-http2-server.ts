import { once } from "node:events";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** Something that answers each HTTP/2 request at a unix socket in its own way. */
export async function serveCustomHttp2(
  path: string,
  answer: (stream: ServerHttp2Stream) => void,
): Promise<AsyncDisposable> {
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    stream.resume();
    answer(stream);
  });
  server.on("sessionError", () => undefined);
  server.listen(path);
  await once(server, "listening");
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
