import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";

/**
 * Resolves when the response of the rpc has been sent, or its caller has gone. Operations wait for it, so that no
 * notice overtakes the response that accepted the operation (docs/contract.md#tremplinlistener).
 */
export const responseSent = createContextKey<Promise<void>>(Promise.resolve(), {
  description: "the response of this rpc has been sent",
});

interface Closable {
  once(event: "close", listener: () => void): unknown;
}

/** Context values whose `responseSent` resolves when the response closes. */
export function whenClosed(response: Closable): ContextValues {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once("close", resolve);
  return createContextValues().set(responseSent, promise);
}
