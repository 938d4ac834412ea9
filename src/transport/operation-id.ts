import type { HandlerContext } from "@connectrpc/connect";

/**
 * The call metadata that names an operation: in the answer of the request that began it, in every notice of it, and
 * in a request that means no other one.
 */
export const OPERATION_METADATA = "tremplin-operation";

/** The operation that some metadata names; undefined where it names none, or not in a form that an id has. */
export function operationIdIn(metadata: Headers): string | undefined {
  const id = metadata.get(OPERATION_METADATA);
  return id && /^[0-9A-Za-z-]{1,64}$/.test(id) ? id : undefined;
}

/** Lets the answer of an rpc name the operation that it began. */
export function setOperationId({ responseHeader }: Pick<HandlerContext, "responseHeader">, id: string): void {
  responseHeader.set(OPERATION_METADATA, id);
}
