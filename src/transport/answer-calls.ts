import type * as http from "node:http";
import type * as http2 from "node:http2";
import type { Server } from "node:net";
import { Code, ConnectError, type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "../base/logger.ts";
import { convertErrors } from "./call-errors.ts";
import { whenClosed } from "./response-sent.ts";

/** The contract's messages are far smaller. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** 24 days. A longer timer of Node fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Handles a request of HTTP/1.1 or HTTP/2. */
export type Handler = (request: Request, response: Response) => void;
type Request = http.IncomingMessage & http2.Http2ServerRequest;
type Response = http.ServerResponse & http2.Http2ServerResponse;

type Calls = ReadonlyMap<string, ConnectRouter["handlers"][number]>;

/**
 * Answers calls in gRPC, gRPC-Web and Connect. Never throws, whatever a peer sends: a call that cannot be handled gets
 * an error status while that is still possible, and is logged.
 */
export function answerCalls(routes: (router: ConnectRouter) => void, log: Logger): Handler {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: MAX_MESSAGE_BYTES,
    interceptors: [convertErrors(log)],
  });
  routes(router);
  const calls = new Map(router.handlers.map((call) => [call.requestPath, call]));
  return (request, response) => {
    // The peer may reset the stream between any two steps, while nothing else listens for errors.
    request.on("error", ignore);
    response.on("error", ignore);
    answer(calls, request, response).catch((error) => failCall(error, request, response, log));
  };
}

/** Sets the handler of a server of either version. */
export function handleRequests(server: Server, handler: Handler): void {
  server.on("request", handler);
  // Node would throw if the stream has been reset meanwhile.
  server.on("checkContinue", (request: Request, response: Response) => {
    if (!(request.stream ?? request.socket).destroyed) response.writeContinue();
    handler(request, response);
  });
}

async function answer(calls: Calls, request: Request, response: Response): Promise<void> {
  // The caller has gone already, so no event would say so later.
  if ((request.stream ?? request.socket).destroyed) return;
  removeOrigin(request);
  const call = calls.get(request.url.split("?", 1)[0] as string);
  if (!call) return answerUnknown(request, response);
  const universal = universalRequestFromNodeRequest(request, response, undefined, whenClosed(response));
  removeLongDeadline(universal.header);
  await universalResponseToNodeResponse(await call(universal), response);
}

/**
 * The socket identifies the server, so the authority of a request is ignored and need not be a host name: gRPC's C core
 * sends the percent-encoded path of a unix socket, from which the library could not build a URL.
 */
function removeOrigin(request: Request): void {
  Object.defineProperty(request, "authority", { value: "localhost" });
  request.url = request.url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
}

/** A timeout of more than 24 days counts as none. */
function removeLongDeadline(header: Headers): void {
  const [, count, unit] = /^(\d+)([HMS])$/.exec(header.get("grpc-timeout") ?? "") ?? [];
  const milliseconds = { H: 3_600_000, M: 60_000, S: 1_000 }[unit ?? ""] ?? 0;
  if (Number(count) * milliseconds > MAX_TIMER_MS) header.delete("grpc-timeout");
  if (Number(header.get("connect-timeout-ms")) > MAX_TIMER_MS) header.delete("connect-timeout-ms");
}

function answerUnknown(request: Request, response: Response): void {
  response.statusCode = 404;
  if (isGrpc(request.headers["content-type"])) {
    // gRPC reads a status among the headers only if nothing follows them; writeHead would send them too early.
    response.statusCode = 200;
    response.setHeader("content-type", "application/grpc");
    response.setHeader("grpc-status", String(Code.Unimplemented));
    response.setHeader("grpc-message", "there is no such rpc here");
  }
  response.end();
}

/** For clients of gRPC-Web and Connect a 404 means the same. */
function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(?:[+;\s]|$)/i.test(contentType ?? "");
}

function failCall(error: unknown, request: Request, response: Response, log: Logger): void {
  // The caller has gone or has cancelled.
  if (ConnectError.from(error).code !== Code.Aborted)
    log.error({ error, path: request.url }, "a call could not be answered");
  if (response.headersSent) return void response.destroy();
  response.statusCode = 500;
  response.end();
}

function ignore(): void {}
