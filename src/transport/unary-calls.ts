import type * as http2 from "node:http2";
import { create, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createMethodImplSpec,
  createServiceImplSpec,
  type Interceptor,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { compressionGzip } from "@connectrpc/connect-node";
import { timeoutIn, UnaryContext } from "./unary-context.ts";
import { PREFIX_BYTES } from "./unfinished-messages.ts";

/*
 * Most calls are gRPC with one message each way. The library passes their messages through a row of asynchronous
 * generators, which takes several times as long as everything else. What is not plain (other protocols, compression, a
 * message that cannot be read) is left to it.
 */

type MethodSpec = ReturnType<typeof createMethodImplSpec>;
type UnarySpec = Extract<MethodSpec, { readonly kind: "unary" }>;

/** The implementations of the rpcs with one message each way, by path. */
export type UnaryCalls = Map<string, UnarySpec>;

/** A router that also notes the implementations of the rpcs with one message each way. */
export function noting(router: ConnectRouter, calls: UnaryCalls): ConnectRouter {
  const note = (spec: MethodSpec): void => {
    const { parent, name } = spec.method;
    if (spec.kind === "unary") calls.set(`/${parent.typeName}/${name}`, spec);
  };
  const noted: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      router.service(service, implementation, options);
      for (const spec of Object.values(createServiceImplSpec(service, implementation).methods)) note(spec);
      return noted;
    },
    rpc(method, implementation, options) {
      router.rpc(method, implementation, options);
      note(createMethodImplSpec(method, implementation));
      return noted;
    },
  };
  return noted;
}

/** Whether a request is gRPC over HTTP/2 without compression. */
export function isPlainGrpc({ method, headers, httpVersionMajor }: http2.Http2ServerRequest): boolean {
  const encoding = headers["grpc-encoding"] ?? "identity";
  const type = headers["content-type"];
  const isGrpc = type === GRPC || type === GRPC_PROTO;
  return httpVersionMajor === 2 && method === "POST" && encoding === "identity" && isGrpc;
}

const GRPC = "application/grpc";
const GRPC_PROTO = "application/grpc+proto";
const EMPTY = Buffer.alloc(0);
/** A shorter answer is not worth it. */
const MIN_COMPRESSED_BYTES = 1024;

interface ReadCall {
  readonly spec: UnarySpec;
  readonly headers: http2.IncomingHttpHeaders;
  readonly values: ContextValues;
  /** All that came. */
  readonly body: Uint8Array;
}

export interface PlainCall {
  readonly spec: UnarySpec;
  readonly headers: http2.IncomingHttpHeaders;
  readonly message: Message;
  readonly context: UnaryContext;
}

/** The call in a request; undefined for one that is to be left to the library. */
export function plainCall({ spec, headers, values, body }: ReadCall): PlainCall | undefined {
  const timeoutMs = timeoutIn(headers["grpc-timeout"]);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const isOneMessage =
    body.length >= PREFIX_BYTES && body[0] === 0 && view.getUint32(1) === body.length - PREFIX_BYTES;
  if (!isOneMessage || timeoutMs === "invalid") return undefined;
  const { method } = spec;
  try {
    const message = fromBinary(method.input, body.subarray(PREFIX_BYTES));
    const path = `/${method.parent.typeName}/${method.name}`;
    return {
      spec,
      headers,
      message,
      context: new UnaryContext({ method, path, headers, values, timeoutMs }),
    };
  } catch {
    return undefined;
  }
}

/** Calls the handler of a call, inside the interceptors of the server. Returns the bytes of its answer. */
export type Invoke = (call: PlainCall) => Promise<Uint8Array>;

export function invoking(interceptors: readonly Interceptor[]): Invoke {
  const handle = async (request: unknown) => {
    const plain = request as InterceptedCall;
    const { spec, context, message } = plain.call;
    const answer = create(spec.method.output, await spec.impl(message, context));
    plain.answer = toBinary(spec.method.output, answer);
    return new InterceptedAnswer(plain.call, answer);
  };
  const intercepted = interceptors.reduceRight<ReturnType<Interceptor>>(
    (next, interceptor) => interceptor(next),
    handle,
  );
  return async (call) => {
    const request = new InterceptedCall(call);
    await intercepted(request);
    return request.answer;
  };
}

/** Sends the answer to a call, unless the caller has gone. Returns why the call failed, if it did. */
export async function answerPlainly(
  call: PlainCall,
  response: http2.Http2ServerResponse,
  invoke: Invoke,
): Promise<string | undefined> {
  const { headers, context } = call;
  const type = headers["content-type"] === GRPC_PROTO ? GRPC_PROTO : GRPC;
  response.once("close", () => context.loseCaller());
  let answer: Uint8Array | undefined;
  let failure: ConnectError | undefined;
  try {
    answer = await invoke(call);
  } catch (thrown) {
    failure = asConnectError(thrown);
    setTrailerStatus(context.responseTrailer, failure);
  }
  const isCompressed =
    answer && answer.length >= MIN_COMPRESSED_BYTES && acceptsGzip(headers["grpc-accept-encoding"]);
  if (answer && isCompressed) answer = await compressionGzip.compress(answer);
  if (response.stream.destroyed) return failure?.rawMessage;
  const encoding = isCompressed ? { "grpc-encoding": "gzip" } : {};
  response.writeHead(200, { ...context.header(type), ...encoding });
  response.addTrailers(context.trailer());
  response.end(answer ? enveloped(answer, isCompressed === true) : EMPTY);
  context.end();
  return failure?.rawMessage;
}

/** A call as interceptors see it. They are to pass it on as it is. */
class InterceptedCall implements UnaryRequest {
  readonly stream = false;
  readonly requestMethod = "POST";
  readonly call: PlainCall;
  answer: Uint8Array = EMPTY;

  constructor(call: PlainCall) {
    this.call = call;
  }

  get message() {
    return this.call.message;
  }

  get method() {
    return this.call.spec.method;
  }

  get service() {
    return this.call.spec.method.parent;
  }

  get url() {
    return this.call.context.url;
  }

  get signal() {
    return this.call.context.signal;
  }

  get header() {
    return this.call.context.requestHeader;
  }

  get contextValues() {
    return this.call.context.values;
  }
}

class InterceptedAnswer implements UnaryResponse {
  readonly stream = false;
  readonly message: Message;
  readonly #call: PlainCall;

  constructor(call: PlainCall, message: Message) {
    this.#call = call;
    this.message = message;
  }

  get method() {
    return this.#call.spec.method;
  }

  get service() {
    return this.#call.spec.method.parent;
  }

  get header() {
    return this.#call.context.responseHeader;
  }

  get trailer() {
    return this.#call.context.responseTrailer;
  }
}

function asConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
}

function acceptsGzip(header: unknown): boolean {
  return typeof header === "string" && header.split(",").some((name) => name.trim() === "gzip");
}

function enveloped(message: Uint8Array, isCompressed: boolean): Uint8Array {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = isCompressed ? 1 : 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}
