import type { HandlerContext } from "@connectrpc/connect";
import type { Logger } from "../../base/logger.ts";
import { sentenceOf } from "../../base/tremplin-error.ts";
import type { Runner } from "../operations/runner.ts";
import type { Tools } from "../operations/tools.ts";

/** What rpcs work with. */
export interface RpcTools extends Tools {
  /** What the operations that they begin work with: an engine that is prepared is enough for these. */
  readonly operations: Tools;
  readonly runner: Runner;
}

/**
 * An rpc of the contract: whatever goes wrong becomes a status of its answer with a reason, never an error of
 * the transport (behaviour.md 5).
 */
export function answering<Request, Answer>(
  { log }: { log: Logger },
  handle: (request: Request, context: HandlerContext) => Promise<Answer>,
  failed: (failureReason: string) => Answer,
): (request: Request, context: HandlerContext) => Promise<Answer> {
  return async (request, context) => {
    try {
      return await handle(request, context);
    } catch (error) {
      log.warn({ error, rpc: context.method.name }, "refused");
      return failed(sentenceOf(error));
    }
  };
}
