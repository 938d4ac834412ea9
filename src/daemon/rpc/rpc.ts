import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import { operationIdIn, setOperationId } from "../../transport/operation-id.ts";
import { responseSent } from "../../transport/response-sent.ts";
import type { CurrentPorts } from "../connections/current-ports.ts";
import type { UsbAttachments } from "../devices/usb-attachments.ts";
import type { HostNotices } from "../notices/host-notices.ts";
import type { ListenerMethod } from "../notices/notice.ts";
import type { OperationKinds } from "../operations/kinds.ts";
import type { EngineAccess } from "../operations/operation-deps.ts";
import type { OperationKind } from "../operations/runner/operation.ts";
import type { Runner } from "../operations/runner/runner.ts";
import type { ContainersToStart } from "../operations/start/containers-to-start.ts";
import type { Shares } from "../shares/shares.ts";
import type { Autostart } from "../sites/autostart.ts";
import type { Site } from "../sites/site.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";

/** What rpcs work with. */
export interface RpcDeps {
  readonly daemonId: string;
  readonly version: string;
  readonly startedAt: Date;
  /** The name of the engine's bridge. */
  readonly bridge: string;
  readonly site: Site;
  /** The values of {state} and {shared} in texts of the site. */
  readonly places: { readonly state: string; readonly shared: string };
  readonly engine: Pick<EngineAccess, "running">;
  readonly supervisor: Supervisor;
  readonly runner: Runner;
  readonly kinds: OperationKinds;
  readonly notices: Pick<HostNotices, "queue" | "journal" | "journalFolder" | "rejected">;
  readonly usb: UsbAttachments;
  readonly shares: Shares;
  readonly ports: CurrentPorts;
  readonly toStart: Pick<ContainersToStart, "waiting">;
  /** What holds for containers that say nothing of autostart themselves. */
  readonly autostart: () => Autostart;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * An rpc of the contract: an error becomes a status of its response with a reason, never an error of the transport
 * (docs/contract.md#differences-from-chromiumos). With `mask`, response and log get only the masked reason.
 */
export function withStatusErrors<Request, Response>(
  { log }: Pick<RpcDeps, "log">,
  handle: (request: Request, context: HandlerContext) => Promise<Response>,
  failed: (failureReason: string) => Response,
  mask?: (failureReason: string) => string,
): (request: Request, context: HandlerContext) => Promise<Response> {
  return async (request, context) => {
    try {
      return await handle(request, context);
    } catch (error) {
      const reason = errorMessage(error);
      const masked = mask?.(reason);
      const details = masked === undefined ? { error } : { failureReason: masked };
      const about = { rpc: context.method.name, container: containerOf(request) };
      log.warn({ ...details, ...about }, "the request failed");
      return failed(masked ?? reason);
    }
  };
}

/** The container that a message is about; empty if it is about none, or about several. */
export function containerOf(message: unknown): string {
  const isAboutOne = typeof message === "object" && message !== null && "containerName" in message;
  return isAboutOne ? String(message.containerName) : "";
}

/** Accepts work on a container (empty: on the engine) as Runner.begin does; the response carries the operation's id. */
export async function begin<R extends DescMessage, M extends ListenerMethod>(
  { runner }: Pick<RpcDeps, "runner">,
  context: Pick<HandlerContext, "values" | "responseHeader">,
  kind: OperationKind<R, M>,
  container: string,
  request: MessageShape<R>,
): Promise<void> {
  const { id } = await runner.begin(kind, container, request, context.values.get(responseSent));
  setOperationId(context, id);
}

/**
 * Whether a request to cancel means the operation under way on a container: its metadata names that operation, or
 * names none.
 */
export function targetsOperation(
  { runner }: Pick<RpcDeps, "runner">,
  container: string,
  { requestHeader }: Pick<HandlerContext, "requestHeader">,
): boolean {
  const id = operationIdIn(requestHeader);
  return id === undefined || runner.locks.holder(container)?.id === id;
}
