import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  type SecureClientSessionOptions,
} from "node:http2";
import { syncBuiltinESMExports } from "node:module";
import { Http2SessionManager } from "@connectrpc/connect-node";
import { widenConnection } from "./connection-window.ts";

type SessionOptions = ClientSessionOptions | SecureClientSessionOptions;
type PingOptions = ConstructorParameters<typeof Http2SessionManager>[1];

/** A server of HTTP/2 speaks as soon as it has accepted a connection. Longer than a busy one needs. */
const SILENCE_MS = 15_000;

/** The peer took the connection, or let it wait, and says nothing. */
export class SilentPeerError extends Error {}

/**
 * A session manager whose streams are read by read() and 'readable'. Node's own async iteration of an HTTP/2
 * stream ends with "Premature close" on some versions (nodejs/node#65677, Node 24.20 and later, 26).
 */
export class ReadableSessionManager extends Http2SessionManager {
  #spokeHttp2 = false;

  constructor(url: string, pings: PingOptions, options: SessionOptions) {
    const followed = { ...options, [onCreated]: (session: ClientHttp2Session) => this.#follow(session) };
    super(url, pings, followed);
  }

  /** Whether the peer of the newest connection has answered in HTTP/2. */
  get spokeHttp2(): boolean {
    return this.#spokeHttp2;
  }

  override async request(...args: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    const ended = whenEnded(stream);
    Object.defineProperty(stream, Symbol.asyncIterator, { value: () => chunks(stream, ended) });
    return stream;
  }

  /**
   * The library stops listening to a session in several moments before it is over. An error in one of them would end
   * the process; its streams report it to the calls.
   */
  #follow(session: ClientHttp2Session): void {
    session.on("error", () => undefined);
    session.once("connect", () => widenConnection(session));
    this.#spokeHttp2 = false;
    const silent = () => session.destroy(new SilentPeerError(`no HTTP/2 within ${SILENCE_MS / 1000} s`));
    const timer = setTimeout(silent, SILENCE_MS).unref();
    session.once("close", () => clearTimeout(timer));
    session.once("remoteSettings", () => {
      clearTimeout(timer);
      this.#spokeHttp2 = true;
    });
  }
}

/** The key of a function in the options of a session that gets the session as soon as it exists. */
const onCreated = Symbol("onCreated");

// The library hands out no session before it is connected, so its call of http2.connect is the only way to one.
const { connect } = http2;
http2.connect = (authority: string | URL, options?: unknown, listener?: unknown): ClientHttp2Session => {
  const session = connect(authority, options as SessionOptions, listener as undefined);
  (options as { [onCreated]?: (session: ClientHttp2Session) => void } | undefined)?.[onCreated]?.(session);
  return session;
};
syncBuiltinESMExports();

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
  let wake = (): void => undefined;
  let isOver = false;
  const over = (): void => {
    isOver = true;
    wake();
  };
  // Once for the whole stream: whatever waits for `ended` is kept until the stream ends.
  ended.then(over, over);
  stream.on("readable", () => wake());
  while (!stream.readableEnded) {
    const chunk: Buffer | null = stream.read();
    if (chunk) {
      yield chunk;
      continue;
    }
    if (isOver) return await ended;
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    await promise;
  }
}
