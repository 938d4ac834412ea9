import type { HandlerContext } from "@connectrpc/connect";

/**
 * The call metadata with the id of an operation: in the response that accepted it, in each of its notices, and
 * optionally in a request to cancel it.
 */
export const OPERATION_METADATA = "tremplin-operation";

/** The id in some metadata; undefined if there is none, or it is malformed. */
export function operationIdIn(metadata: Headers): string | undefined {
  const id = metadata.get(OPERATION_METADATA);
  return id && /^[0-9A-Za-z-]{1,64}$/.test(id) ? id : undefined;
}

/** Sets the id in the response of an rpc that accepted or joined an operation. */
export function setOperationId({ responseHeader }: Pick<HandlerContext, "responseHeader">, id: string): void {
  responseHeader.set(OPERATION_METADATA, id);
}
