import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type CallOptions, type ConnectRouter, createClient, type HandlerContext } from "@connectrpc/connect";
import { OPERATION_METADATA, operationIdIn, setOperationId } from "../transport/operation-id.ts";
import type { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";

/**
 * How long a guest may take for an rpc whose caller set no deadline, in milliseconds: the longest that hosts
 * allow (behaviour.md 9). A stream without a deadline has none.
 */
const PATIENCE = 120_000;

/**
 * Routes that hand every rpc of a service to the guest that its caller names, and hand back what comes. Of the call
 * metadata only the operation goes on, in both directions.
 */
export function passThrough(router: ConnectRouter, service: DescService, guests: Guests): void {
  const handlers = service.methods.map((method) => {
    const streams = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
    return [method.localName, streams ? streaming(method, guests) : answering(method, guests)];
  });
  router.service(service, Object.fromEntries(handlers));
}

/** For an rpc with one answer. */
function answering(method: DescMethod, guests: Guests) {
  return async (input: unknown, context: HandlerContext) => {
    const guest = guests.chosenBy(context.requestHeader);
    try {
      const options = {
        ...optionsOf(context, PATIENCE),
        onHeader(answered: Headers) {
          const operation = operationIdIn(answered);
          if (operation) setOperationId(context, operation);
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
    const guest = guests.chosenBy(context.requestHeader);
    try {
      yield* call(method, guest, input, optionsOf(context, undefined)) as AsyncIterable<object>;
    } catch (error) {
      throw guest.explain(error);
    }
  };
}

/** Input and output are one message or a stream of them, as the method says. */
function call(method: DescMethod, guest: Guest, input: unknown, options: CallOptions): unknown {
  const client = createClient(method.parent, guest.connection.transport) as Record<string, unknown>;
  return (client[method.localName] as (input: unknown, options: CallOptions) => unknown)(input, options);
}

/** The caller's own end and deadline; 0 would mean none, so what is left of one is never less than 1. */
function optionsOf(context: HandlerContext, patience: number | undefined): CallOptions {
  const left = context.timeoutMs() ?? patience;
  const operation = operationIdIn(context.requestHeader);
  return {
    signal: context.signal,
    ...(left !== undefined && { timeoutMs: Math.max(1, left) }),
    ...(operation !== undefined && { headers: { [OPERATION_METADATA]: operation } }),
  };
}
