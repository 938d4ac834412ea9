import { once } from "node:events";
import type { ClientHttp2Stream, Http2Session } from "node:http2";
import { Http2SessionManager } from "@connectrpc/connect-node";

/**
 * A session manager whose streams are read by read() and 'readable'. Node's own async iteration of an HTTP/2
 * stream ends with "Premature close" on some versions (nodejs/node#65677, Node 24.20 and later, 26).
 */
export class ReadableSessionManager extends Http2SessionManager {
  readonly #listened = new WeakSet<Http2Session>();

  override async request(...args: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    this.#listenToErrors(stream.session);
    const ended = whenEnded(stream);
    Object.defineProperty(stream, Symbol.asyncIterator, { value: () => chunks(stream, ended) });
    return stream;
  }

  /**
   * The library stops listening to a session that it abandons. An error of that session would then end the process; its
   * streams report it to the calls.
   */
  #listenToErrors(session: Http2Session | undefined): void {
    if (!session || this.#listened.has(session)) return;
    this.#listened.add(session);
    session.on("error", () => undefined);
  }
}

/** Resolves when everything was read, rejects when the stream ended early. Listens from the very beginning. */
function whenEnded(stream: ClientHttp2Stream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined);
  const early = (): void => (stream.readableEnded ? resolve() : reject(new Error("the connection was lost")));
  stream.once("end", resolve);
  stream.once("error", reject);
  stream.once("close", early);
  if (stream.destroyed) early();
  return promise;
}

async function* chunks(stream: ClientHttp2Stream, ended: Promise<void>): AsyncGenerator<Buffer, void, void> {
  while (!stream.readableEnded) {
    const chunk: Buffer | null = stream.read();
    if (chunk) {
      yield chunk;
      continue;
    }
    const waiting = new AbortController();
    try {
      await Promise.race([once(stream, "readable", { signal: waiting.signal }), ended]);
    } finally {
      waiting.abort();
    }
  }
}
