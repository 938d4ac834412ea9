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
import { TremplinError } from "../../base/tremplin-error.ts";
import { type EngineAddress, formatEngineAddress, tlsOf } from "./engine-address.ts";
import { connectionError } from "./engine-error.ts";
import { type Reply, readReply } from "./reply.ts";

/** How long a plain request may take, in milliseconds, and a streamed one may stand still. */
export const requestLimit = 60_000;

export interface EngineRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From `/1.0` or `/internal` on, escaped (see apiPath). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead; a stream is always read to its end or destroyed. */
  readonly raw?: Readable | Buffer | string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, default 60 s. */
  readonly timeLimit?: number | undefined;
}

/** One engine's HTTP: a pool of kept connections, a time limit on every request, one conversion of errors. */
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

  /** Aborts when the client is disposed: whoever lasts longer than one request listens to it. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** A request answered in JSON. Anything but success is thrown as a TremplinError. */
  async call<Metadata>(request: EngineRequest): Promise<Reply<Metadata>> {
    using limit = this.#limit(request);
    return await this.#read<Metadata>(await this.#answer(request, limit), request, limit);
  }

  /** A request whose answer's body is read by the caller, who must read it to its end or destroy it. */
  async open(request: EngineRequest): Promise<IncomingMessage> {
    using limit = this.#limit(request);
    const answer = await this.#answer(request, limit);
    if ((answer.statusCode ?? 0) < 300) return answer;
    await this.#read(answer, request, limit);
    throw new TremplinError("failed", `${describe(request)} was answered with HTTP ${answer.statusCode}`);
  }

  [Symbol.dispose](): void {
    this.#closed.abort(new TremplinError("unavailable", "the connection to the engine was closed"));
    this.#agent.destroy();
  }

  #limit(request: EngineRequest): TimeLimit {
    const milliseconds = request.timeLimit ?? requestLimit;
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

  async #answer(request: EngineRequest, limit: TimeLimit): Promise<IncomingMessage> {
    limit.signal.throwIfAborted();
    this.#log.trace({ request: describe(request) }, "engine request");
    try {
      return await this.#send(request, limit);
    } catch (error) {
      limit.signal.throwIfAborted();
      if (error instanceof StaleConnection) return this.#answer(request, limit);
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

/** A kept connection that the engine closed just as it was used again: nothing was answered, so ask anew. */
class StaleConnection extends Error {}

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
      broken(new TremplinError("failed", `cannot read what to send: ${(error as Error).message}`, error));
      throw error;
    }
    limit.restart();
  };
  // What breaks on the engine's side, the waiting caller hears as the request's own error.
  pipeline(stream, restarting, sending, () => undefined);
}
