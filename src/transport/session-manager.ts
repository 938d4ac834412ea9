import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { Http2SessionManager } from "@connectrpc/connect-node";

/**
 * A session manager whose streams are read by read() and 'readable'. Node's own async iteration of an HTTP/2
 * stream ends with "Premature close" on some versions (nodejs/node#65677, Node 24.20 and later, 26).
 */
export class ReadableSessionManager extends Http2SessionManager {
  override async request(...args: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    Object.defineProperty(stream, Symbol.asyncIterator, { value: () => chunks(stream) });
    return stream;
  }
}

async function* chunks(stream: ClientHttp2Stream): AsyncGenerator<Buffer, undefined, void> {
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  stream.once("end", () => ended.resolve());
  stream.once("error", (error) => ended.reject(error));
  stream.once("close", () =>
    stream.readableEnded ? ended.resolve() : ended.reject(new Error("the stream ended early")),
  );
  while (!stream.readableEnded) {
    const chunk: Buffer | null = stream.read();
    if (chunk) {
      yield chunk;
      continue;
    }
    const waiting = new AbortController();
    try {
      await Promise.race([once(stream, "readable", { signal: waiting.signal }), ended.promise]);
    } finally {
      waiting.abort();
    }
  }
  return undefined;
}
