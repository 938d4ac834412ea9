import type * as http from "node:http";
import * as http2 from "node:http2";
import type { Server } from "node:net";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "../base/logger.ts";
import { CallBudget } from "./call-budget.ts";
import { convertErrors } from "./call-errors.ts";
import { type Caller, callerKey, callerText } from "./caller.ts";
import { followCalls } from "./follow-calls.ts";
import { logAccepted } from "./log-accepted.ts";
import { answerRefusal, type Refusal } from "./refusal.ts";
import { whenClosed } from "./response-sent.ts";
import {
  answerPlainly,
  type Invoke,
  invoking,
  isPlainGrpc,
  noting,
  plainCall,
  type UnaryCalls,
} from "./unary-calls.ts";
import { MAX_TIMER_MS } from "./unary-context.ts";
import { MAX_MESSAGE_BYTES, type Metering, metered } from "./unfinished-messages.ts";
import { pieces, wholeBody } from "./whole-body.ts";

const BODY_TIMEOUT_MS = 30_000;

/** The headers that say how the messages of a request are compressed. */
const ENCODINGS = ["grpc-encoding", "connect-content-encoding", "content-encoding"];

/** Handles a request of HTTP/1.1 or HTTP/2. */
export type Handler = (request: Request, response: Response) => void;
type Request = http.IncomingMessage & http2.Http2ServerRequest;
type Response = http.ServerResponse & http2.Http2ServerResponse;

/** The outcome of the checks before a call: who calls, or why the call is refused. */
export type Admission = { readonly caller: Caller } | { readonly refusal: Refusal };

export interface AnswerOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly log: Logger;
  /** Checks each request before anything of it is used. Default: everybody may call. */
  readonly admit?: (request: Request) => Admission;
  /** Gets each call that was answered with an error. */
  readonly onFailure?: OnFailure;
  /** The time for the one message of a call that takes one. Default: 30 s. */
  readonly bodyTimeoutMs?: number;
  /** The memory for calls that are not answered yet. Default: one of its own. */
  readonly budget?: CallBudget;
  /** The code for a call that has no room there. Default: ResourceExhausted. */
  readonly noRoom?: Code;
  /** Gets the caller of each request that was admitted. */
  readonly onAdmitted?: (socket: object, caller: Caller) => void;
}

/** `caller`: undefined for a call that was not admitted. */
export type OnFailure = (path: string, caller: Caller | undefined, reason: string) => void;

interface Context extends Required<Omit<AnswerOptions, "routes">> {
  readonly calls: ReadonlyMap<string, ConnectRouter["handlers"][number]>;
  readonly unary: UnaryCalls;
  readonly invoke: Invoke;
}

/**
 * Answers calls in gRPC, gRPC-Web and Connect. Never throws, whatever a peer sends: a call that cannot be handled gets
 * an error status while that is still possible, and is logged.
 */
export function answerCalls(options: AnswerOptions): Handler {
  const { routes, log, admit = admitAll, onFailure = ignore, bodyTimeoutMs = BODY_TIMEOUT_MS } = options;
  const { budget = new CallBudget(), noRoom = Code.ResourceExhausted, onAdmitted = ignore } = options;
  const interceptors = [followCalls("server"), logAccepted(log), convertErrors(log)];
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: MAX_MESSAGE_BYTES,
    interceptors,
  });
  const unary: UnaryCalls = new Map();
  routes(noting(router, unary));
  const calls = new Map(router.handlers.map((call) => [call.requestPath, call]));
  const invoke = invoking(interceptors);
  const context = { calls, unary, invoke, log, admit, onFailure, bodyTimeoutMs, budget, noRoom, onAdmitted };
  return (request, response) => {
    // The peer may reset the stream between any two steps, while nothing else listens for errors.
    request.on("error", ignore);
    response.on("error", ignore);
    answer(context, request, response).catch((error) => failCall(error, request, response, log));
  };
}

function admitAll(): Admission {
  return { caller: { kind: "local" } };
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

async function answer(context: Context, request: Request, response: Response): Promise<void> {
  const { calls, onFailure } = context;
  // The caller has gone already, so no event would say so later.
  const hasGone = (): boolean => (request.stream ?? request.socket).destroyed;
  if (hasGone()) return;
  const path = pathOf(request);
  const refuse = (caller: Caller | undefined, refusal: Refusal): void => {
    onFailure(path, caller, refusal.sentence);
    boundBody(request, response, context.bodyTimeoutMs);
    // What is not read would be kept.
    request.resume();
    answerRefusal(request.headers["content-type"], response, refusal);
  };
  const admission = context.admit(request);
  if ("refusal" in admission) return refuse(undefined, admission.refusal);
  const { caller } = admission;
  context.onAdmitted(request.socket, caller);
  removeOrigin(request);
  const call = calls.get(pathOf(request));
  if (!call) return refuse(caller, { code: Code.Unimplemented, sentence: "there is no such rpc here" });
  const charge = context.budget.begin(callerText(caller), () => giveWay(request));
  if (!charge) return refuse(caller, noRoomFor(caller, context));
  response.once("close", () => charge[Symbol.dispose]());
  const values = whenClosed(response).set(callerKey, caller);
  const streams = streamsIn(call.method);
  const bound = (): void => boundBody(request, response, context.bodyTimeoutMs);
  if (streams) response.once("finish", bound);
  else bound();
  const metering = { hold: charge.hold, noRoom: () => noRoomError(caller, context) };
  const spec = isPlainGrpc(request) ? context.unary.get(call.requestPath) : undefined;
  const whole = spec && (await wholeBody(request, metering));
  if (spec && (!whole || hasGone())) return;
  const plain =
    spec &&
    whole &&
    "bytes" in whole &&
    plainCall({ ...{ spec, values }, headers: request.headers, body: whole.bytes });
  const onError = (reason: string | undefined): void => {
    if (reason !== undefined) onFailure(path, caller, reason);
  };
  if (plain) return onError(await answerPlainly(plain, response, context.invoke));
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  removeLongDeadline(universal.header);
  const body = whole ? pieces(whole) : countedBody(universal, { streams, ...metering });
  const answered = await call({ ...universal, body });
  // The library's function does not always return.
  response.once("close", () => onError(failureOf(answered.status, answered.trailer)));
  await universalResponseToNodeResponse(answered, response);
}

function streamsIn({ methodKind }: DescMethod): boolean {
  return methodKind === "client_streaming" || methodKind === "bidi_streaming";
}

function noRoomFor(caller: Caller, { budget, noRoom }: Context): Refusal {
  return { code: noRoom, sentence: budget.sentence(callerText(caller)) };
}

function noRoomError(caller: Caller, context: Context): ConnectError {
  const { code, sentence } = noRoomFor(caller, context);
  return new ConnectError(sentence, code);
}

function countedBody(
  { body, header }: UniversalServerRequest,
  metering: Omit<Metering, "isCompressed">,
): UniversalServerRequest["body"] {
  if (typeof body !== "object" || body === null || !(Symbol.asyncIterator in body)) return body;
  const isCompressed = ENCODINGS.some((name) => (header.get(name) ?? "identity") !== "identity");
  return metered(body, { ...metering, isCompressed });
}

/** Resets the stream of a call whose place is needed. For gRPC this code means RESOURCE_EXHAUSTED. */
function giveWay({ stream, socket }: Request): void {
  if (stream) stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  else socket.destroy();
}

/** Closes the stream of a peer that does not send the whole of its one message, or goes on after the answer. */
function boundBody(request: Request, response: Response, milliseconds: number): void {
  const stream = request.stream ?? request.socket;
  const timer = setTimeout(() => stream.destroy(), milliseconds).unref();
  const stop = (): void => clearTimeout(timer);
  request.once("end", stop);
  response.once("close", stop);
}

function pathOf({ url }: Request): string {
  return url.split("?", 1)[0] as string;
}

/** Why a call failed, as far as its answer says so outside of its body. */
function failureOf(httpStatus: number, trailer: Headers | undefined): string | undefined {
  const status = trailer?.get("grpc-status") ?? "0";
  if (status !== "0") return decodeMessage(trailer?.get("grpc-message") ?? "") || `grpc-status ${status}`;
  return httpStatus === 200 ? undefined : `HTTP status ${httpStatus}`;
}

function decodeMessage(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

/**
 * What the authority of a request may be has been checked. It need not be a host name: gRPC's C core sends the
 * percent-encoded path of a unix socket, from which the library could not build a URL.
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

function failCall(error: unknown, request: Request, response: Response, log: Logger): void {
  // The caller has gone or has cancelled.
  if (ConnectError.from(error).code !== Code.Aborted)
    log.error({ error, path: request.url }, "a call could not be answered");
  if (response.headersSent) return void response.destroy();
  response.statusCode = 500;
  response.end();
}

function ignore(): void {}
