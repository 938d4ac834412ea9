import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { pipeline, Readable } from "node:stream";
import { TimeLimit } from "../../base/async/time-limit.ts";
import type { Logger } from "../../base/logger.ts";
import { type EngineWork, follow, observed } from "../../base/observed.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type EngineAddress, formatEngineAddress, tlsOf } from "./engine-address.ts";
import { connectionError } from "./engine-error.ts";
import { type Reply, readReply } from "./reply.ts";

/** The limit of a plain request, and of a streamed one without progress. */
export const REQUEST_TIMEOUT_MS = 60_000;

export interface EngineRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Starts with `/1.0` or `/internal`, escaped (see apiPath). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent unchanged, instead of `body`; a stream is always read to its end or destroyed. */
  readonly raw?: Readable | Buffer | string;
  readonly signal?: AbortSignal | undefined;
  /** Default 60 s. */
  readonly timeoutMs?: number | undefined;
}

/** HTTP to one engine: a pool of connections, a time limit for every request, one conversion of errors. */
export class EngineHttp implements Disposable {
  readonly address: EngineAddress;
  readonly #agent: HttpAgent;
  readonly #closed = new AbortController();
  readonly #log: Logger;

  constructor(address: EngineAddress, log: Logger) {
    this.address = address;
    this.#log = log;
    const keep = { keepAlive: true, maxFreeSockets: 8 };
    this.#agent =
      address.kind === "unix" ? new HttpAgent(keep) : new HttpsAgent({ ...keep, ...tlsOf(address) });
  }

  /** Aborts when the client is disposed. Everything that outlasts one request listens to it. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Sends a request whose response is JSON. Throws a TremplinError for anything but success. */
  async call<Metadata>(request: EngineRequest): Promise<Reply<Metadata>> {
    using limit = this.#startTimeLimit(request);
    return await followed(request, async (about) => {
      const answer = await this.#sendWithRetry(request, limit);
      about.status = answer.statusCode;
      const reply = await this.#read<Metadata>(answer, request, limit);
      if (request.method !== "GET") this.#logChange(request, reply);
      return reply;
    });
  }

  /** Sends a request whose response the caller reads to its end or destroys. */
  async open(request: EngineRequest): Promise<IncomingMessage> {
    using limit = this.#startTimeLimit(request);
    const answer = await followed(request, async (about) => {
      const opened = await this.#sendWithRetry(request, limit);
      about.status = opened.statusCode;
      return opened;
    });
    if ((answer.statusCode ?? 0) < 300) return answer;
    await this.#read(answer, request, limit);
    throw new TremplinError("failed", `${describe(request)} was answered with HTTP ${answer.statusCode}`);
  }

  [Symbol.dispose](): void {
    this.#closed.abort(new TremplinError("unavailable", "the connection to the engine was closed"));
    this.#agent.destroy();
  }

  #startTimeLimit(request: EngineRequest): TimeLimit {
    const milliseconds = request.timeoutMs ?? REQUEST_TIMEOUT_MS;
    const late = () =>
      new TremplinError(
        "unavailable",
        `the engine at ${formatEngineAddress(this.address)} did not answer ${describe(request)} within ${milliseconds / 1000} s`,
      );
    return new TimeLimit(milliseconds, late, [request.signal, this.closed]);
  }

  async #read<Metadata>(
    answer: IncomingMessage,
    request: EngineRequest,
    limit: TimeLimit,
  ): Promise<Reply<Metadata>> {
    try {
      return await readReply<Metadata>(answer, describe(request));
    } catch (error) {
      limit.signal.throwIfAborted();
      throw connectionError(error, this.address, describe(request));
    }
  }

  /** By the id of the engine's own operation, its log and its events can be matched with the work here. */
  #logChange(request: EngineRequest, { async: isAsync, metadata }: Reply<unknown>): void {
    const engineOperation = isAsync ? (metadata as { id?: unknown } | null)?.id : undefined;
    this.#log.debug({ request: describe(request), engineOperation }, "the engine accepted a request");
  }

  async #sendWithRetry(request: EngineRequest, limit: TimeLimit): Promise<IncomingMessage> {
    limit.signal.throwIfAborted();
    this.#log.trace({ request: describe(request) }, "engine request");
    try {
      return await this.#send(request, limit);
    } catch (error) {
      limit.signal.throwIfAborted();
      if (error instanceof StaleConnection) return this.#sendWithRetry(request, limit);
      throw connectionError(error, this.address, describe(request));
    }
  }

  #send(request: EngineRequest, limit: TimeLimit): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const content = request.raw ?? JSON.stringify(request.body);
    const send = this.address.kind === "unix" ? httpRequest : httpsRequest;
    const sending = send({
      ...endpointOf(this.address),
      agent: this.#agent,
      method: request.method,
      path: request.path + (request.query ? `?${new URLSearchParams(request.query)}` : ""),
      headers: {
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers,
      },
      signal: limit.signal,
    });
    sending.once("response", resolve);
    sending.on("error", (error: NodeJS.ErrnoException) => {
      const stale = sending.reusedSocket && error.code === "ECONNRESET" && request.method === "GET";
      reject(stale ? new StaleConnection() : error);
    });
    if (content instanceof Readable) sendStream(content, sending, limit, reject);
    else sending.end(content);
    return promise;
  }
}

/**
 * The engine closed an idle connection just as it was used again. It has answered nothing, so the request is
 * repeated.
 */
class StaleConnection extends Error {}

function followed<T>(request: EngineRequest, work: (about: EngineWork) => Promise<T>): Promise<T> {
  const { method, path } = request;
  return follow<EngineWork, T>(observed.engine, { method, path }, work);
}

function describe(request: EngineRequest): string {
  return `${request.method} ${request.path}`;
}

function endpointOf(address: EngineAddress): RequestOptions {
  return address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port };
}

function sendStream(
  stream: Readable,
  sending: ClientRequest,
  limit: TimeLimit,
  broken: (error: Error) => void,
): void {
  const restarting = async function* (chunks: AsyncIterable<Uint8Array>) {
    try {
      for await (const chunk of chunks) {
        limit.restart();
        yield chunk;
      }
    } catch (error) {
      broken(
        new TremplinError("failed", `the content to send cannot be read: ${(error as Error).message}`, error),
      );
      throw error;
    }
    limit.restart();
  };
  // An error on the engine's side reaches the caller as the error of the request.
  pipeline(stream, restarting, sending, () => undefined);
}
