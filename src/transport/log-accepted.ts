import type { Interceptor } from "@connectrpc/connect";
import type { Logger } from "../base/logger.ts";
import { callerKey, callerText } from "./caller.ts";
import { operationIdIn } from "./operation-id.ts";

/** Logs each call that began or joined an operation, so that the logs of all who passed it on have the same id. */
export function logAccepted(log: Logger): Interceptor {
  return (next) => async (request) => {
    const response = await next(request);
    const operation = operationIdIn(response.header);
    if (operation === undefined || request.stream) return response;
    const { method, message, header, contextValues } = request;
    const container = "containerName" in message ? String(message.containerName) : undefined;
    const guest = header.get("tremplin-guest") ?? undefined;
    const caller = callerText(contextValues.get(callerKey));
    log.info({ operation, rpc: method.name, container, guest, caller }, "an operation was accepted");
    return response;
  };
}
