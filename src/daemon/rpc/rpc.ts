import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { Logger } from "../../base/logger.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import { nameOperation, operationIn } from "../../transport/operation-id.ts";
import { responseSent } from "../../transport/response-sent.ts";
import type { ListenerMethod } from "../notices/notice.ts";
import type { OperationDeps } from "../operations/operation-deps.ts";
import type { OperationKind } from "../operations/runner/operation.ts";
import type { Runner } from "../operations/runner/runner.ts";

/** What rpcs work with. */
export interface RpcDeps extends OperationDeps {
  /** What the operations that they begin work with: an engine that is prepared is enough for these. */
  readonly operations: OperationDeps;
  readonly runner: Runner;
}

/**
 * An rpc of the contract: whatever goes wrong becomes a status of its answer with a reason, never an error of
 * the transport (behaviour.md 5).
 */
export function withStatusErrors<Request, Answer>(
  { log }: { log: Logger },
  handle: (request: Request, context: HandlerContext) => Promise<Answer>,
  failed: (failureReason: string) => Answer,
): (request: Request, context: HandlerContext) => Promise<Answer> {
  return async (request, context) => {
    try {
      return await handle(request, context);
    } catch (error) {
      log.warn({ error, rpc: context.method.name }, "refused");
      return failed(errorMessage(error));
    }
  };
}

/** Accepts work on a container (empty: on the engine) as Runner.begin does; the answer of the rpc names the operation. */
export async function begin<R extends DescMessage, M extends ListenerMethod>(
  { runner }: Pick<RpcDeps, "runner">,
  context: Pick<HandlerContext, "values" | "responseHeader">,
  kind: OperationKind<R, M>,
  container: string,
  request: MessageShape<R>,
): Promise<void> {
  const { id } = await runner.begin(kind, container, request, context.values.get(responseSent));
  nameOperation(context, id);
}

/**
 * Whether a request to cancel means what is under way on a container. One that names an operation in its metadata
 * means no other; one that names none means whichever it is.
 */
export function targetsOperation(
  { runner }: Pick<RpcDeps, "runner">,
  container: string,
  { requestHeader }: Pick<HandlerContext, "requestHeader">,
): boolean {
  const named = operationIn(requestHeader);
  return named === undefined || runner.locks.holder(container)?.id === named;
}
