import type * as http from "node:http";
import type * as http2 from "node:http2";
import type { Server } from "node:net";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  type Interceptor,
} from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "../base/logger.ts";
import { whenClosed } from "./response-sent.ts";

/** One message may not be larger; the contract's are far smaller. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A timer of Node that should take longer ends at once. Milliseconds, 24 days. */
const MAX_TIMER = 2 ** 31 - 1;

/** What Node gives for a request, of either version of HTTP. */
export type Handler = (request: Request, response: Response) => void;
type Request = http.IncomingMessage & http2.Http2ServerRequest;
type Response = http.ServerResponse & http2.Http2ServerResponse;

type Calls = ReadonlyMap<string, ConnectRouter["handlers"][number]>;

/**
 * Answers calls in gRPC, gRPC-Web and Connect. Nothing that a peer sends makes it throw: what cannot be handled is
 * answered with a status where an answer can still be given, and logged.
 */
export function answerCalls(routes: (router: ConnectRouter) => void, log: Logger): Handler {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: MAX_MESSAGE_BYTES,
    interceptors: [logUnexpected(log)],
  });
  routes(router);
  const calls = new Map(router.handlers.map((call) => [call.requestPath, call]));
  return (request, response) => {
    // The peer may reset the stream between any two steps, when nobody else listens.
    request.on("error", ignore);
    response.on("error", ignore);
    answer(calls, request, response).catch((error) => giveUp(error, request, response, log));
  };
}

/** Gives a server of either version its handler. */
export function handleRequests(server: Server, handler: Handler): void {
  server.on("request", handler);
  // Node would throw where the stream of HTTP/2 that wants this has been reset meanwhile.
  server.on("checkContinue", (request: Request, response: Response) => {
    if (!(request.stream ?? request.socket).destroyed) response.writeContinue();
    handler(request, response);
  });
}

async function answer(calls: Calls, request: Request, response: Response): Promise<void> {
  // Of a caller that has gone already, nothing would tell that it has.
  if ((request.stream ?? request.socket).destroyed) return;
  takeOriginAway(request);
  const call = calls.get(request.url.split("?", 1)[0] as string);
  if (!call) return answerUnknown(request, response);
  const universal = universalRequestFromNodeRequest(request, response, undefined, whenClosed(response));
  removeLongDeadline(universal.header);
  await universalResponseToNodeResponse(await call(universal), response);
}

/**
 * Which server is meant, the socket says; so the authority of a request means nothing, and need not be a host name. gRPC's
 * C core sends the path of a unix socket, percent-encoded. The library makes a URL of it, which would throw.
 */
function takeOriginAway(request: Request): void {
  Object.defineProperty(request, "authority", { value: "localhost" });
  request.url = request.url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
}

/** Who allows more than 24 days sets no deadline. */
function removeLongDeadline(header: Headers): void {
  const [, count, unit] = /^(\d+)([HMS])$/.exec(header.get("grpc-timeout") ?? "") ?? [];
  const milliseconds = { H: 3_600_000, M: 60_000, S: 1_000 }[unit ?? ""] ?? 0;
  if (Number(count) * milliseconds > MAX_TIMER) header.delete("grpc-timeout");
  if (Number(header.get("connect-timeout-ms")) > MAX_TIMER) header.delete("connect-timeout-ms");
}

function answerUnknown(request: Request, response: Response): void {
  response.statusCode = 404;
  if (isGrpc(request.headers["content-type"])) {
    // A status among the headers is one for gRPC only where nothing follows them: writeHead would send them too early.
    response.statusCode = 200;
    response.setHeader("content-type", "application/grpc");
    response.setHeader("grpc-status", String(Code.Unimplemented));
    response.setHeader("grpc-message", "there is no such rpc here");
  }
  response.end();
}

/** Clients of gRPC-Web and Connect take a 404 for the same. */
function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(?:[+;\s]|$)/i.test(contentType ?? "");
}

function giveUp(error: unknown, request: Request, response: Response, log: Logger): void {
  // A caller that has gone or has cancelled is no error of ours.
  if (ConnectError.from(error).code !== Code.Aborted)
    log.error({ error, path: request.url }, "a call could not be answered");
  if (response.headersSent) return void response.destroy();
  response.statusCode = 500;
  response.end();
}

/** The caller of a handler with a bug gets "internal error" and no more; the log gets all of it. */
function logUnexpected(log: Logger): Interceptor {
  return (next) => async (request) => {
    const report = (error: unknown): void => {
      if (error instanceof ConnectError || request.signal.aborted) return;
      log.error({ error, rpc: request.method.name }, "a call failed in a way that was not expected");
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: watched(response.message, report) } : response;
    } catch (error) {
      report(error);
      throw error;
    }
  };
}

async function* watched<T>(messages: AsyncIterable<T>, report: (error: unknown) => void): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    report(error);
    throw error;
  }
}

function ignore(): void {}
