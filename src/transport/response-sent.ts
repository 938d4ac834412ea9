import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";

/**
 * Settles when the answer of the rpc has left (or its caller has gone). Work that tells the host of its
 * progress waits for it, so that no notice overtakes the answer that announces it (behaviour.md 6).
 */
export const responseSent = createContextKey<Promise<void>>(Promise.resolve(), {
  description: "the answer of this rpc has left",
});

interface Closable {
  once(event: "close", listener: () => void): unknown;
}

/** Context values in which `answered` follows the response. */
export function whenClosed(response: Closable): ContextValues {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once("close", resolve);
  return createContextValues().set(responseSent, promise);
}
