import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type CallOptions, type ConnectRouter, createClient, type HandlerContext } from "@connectrpc/connect";
import { notesIn, setNotes } from "../base/notes.ts";
import { OPERATION_METADATA, operationIdIn, setOperationId } from "../transport/operation-id.ts";
import type { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";

/** For an rpc without a deadline: the longest that hosts allow (docs/contract.md#deadlines). A stream has none. */
const CALL_TIMEOUT_MS = 120_000;

/**
 * Routes that forward every rpc of a service to the guest in its metadata. Of the metadata they forward only
 * `tremplin-operation`, in both directions, and `tremplin-notes` to the caller.
 */
export function proxyService(router: ConnectRouter, service: DescService, guests: Guests): void {
  const handlers = service.methods.map((method) => {
    const streams = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
    return [method.localName, streams ? streaming(method, guests) : unary(method, guests)];
  });
  router.service(service, Object.fromEntries(handlers));
}

/** For an rpc with one answer. `outlivesCaller`: a caller that goes away does not end it. */
export function unary(method: DescMethod, guests: Guests, outlivesCaller = false) {
  return async (input: unknown, context: HandlerContext) => {
    const guest = guests.resolveTarget(context.requestHeader);
    try {
      const options = {
        ...optionsOf(context, CALL_TIMEOUT_MS),
        ...(outlivesCaller && { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) }),
        onHeader(header: Headers) {
          const operation = operationIdIn(header);
          if (operation) setOperationId(context, operation);
          setNotes(context, notesIn(header));
        },
      };
      return await (call(method, guest, input, options) as Promise<object>);
    } catch (error) {
      throw guest.explain(error);
    }
  };
}

/** For an rpc that answers with a stream. */
function streaming(method: DescMethod, guests: Guests) {
  return async function* (input: unknown, context: HandlerContext) {
    const guest = guests.resolveTarget(context.requestHeader);
    try {
      yield* call(method, guest, input, optionsOf(context, undefined)) as AsyncIterable<object>;
    } catch (error) {
      throw guest.explain(error);
    }
  };
}

/** Input and output are one message or a stream, depending on the method. */
function call(method: DescMethod, guest: Guest, input: unknown, options: CallOptions): unknown {
  const client = createClient(method.parent, guest.connection.transport) as Record<string, unknown>;
  return (client[method.localName] as (input: unknown, options: CallOptions) => unknown)(input, options);
}

/** The caller's signal and remaining time, which is at least 1 ms, because 0 means no deadline. */
function optionsOf(context: HandlerContext, timeoutMs: number | undefined): CallOptions {
  const remaining = context.timeoutMs() ?? timeoutMs;
  const operation = operationIdIn(context.requestHeader);
  return {
    signal: context.signal,
    ...(remaining !== undefined && { timeoutMs: Math.max(1, remaining) }),
    ...(operation !== undefined && { headers: { [OPERATION_METADATA]: operation } }),
  };
}
