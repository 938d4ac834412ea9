import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type { Logger } from "../base/logger.ts";
import { errorMessage } from "../base/tremplin-error.ts";
import { TremplinListener } from "../contract/tremplin_pb.js";
import { operationIdIn } from "../transport/operation-id.ts";
import type { EventLog, Notice } from "./event-log.ts";
import type { Guests } from "./guests.ts";
import { checkNotice, type NoticeRule } from "./notice-check.ts";

type ListenerMethod = keyof typeof TremplinListener.method;
type EventKind = Exclude<Notice["case"], undefined | "begun">;

const lenient: NoticeRule = { unnamed: Code.FailedPrecondition, strangeStatus: "unknown" };
const strict: NoticeRule = { strangeStatus: "refused" };

/** Each rpc of the listener: the kind of event it becomes and what is asked of it (behaviour.md 6). */
const notices: Readonly<Record<ListenerMethod, { readonly kind: EventKind; readonly rule: NoticeRule }>> = {
  tremplinReady: { kind: "ready", rule: {} },
  updateStartLxdStatus: { kind: "startLxd", rule: strict },
  updateCreateStatus: { kind: "create", rule: lenient },
  updateDeletionStatus: { kind: "delete", rule: lenient },
  updateStartStatus: { kind: "start", rule: lenient },
  updateStopStatus: { kind: "stop", rule: lenient },
  updateExportStatus: { kind: "export", rule: strict },
  updateImportStatus: { kind: "import", rule: strict },
  containerShutdown: { kind: "shutdown", rule: { unnamed: Code.InvalidArgument } },
  updateListeningPorts: { kind: "ports", rule: {} },
  upgradeContainerStatus: { kind: "upgrade", rule: strict },
};

/**
 * Routes of TremplinListener. A notice that is answered is on disk; one with an id that is there already (in
 * the metadata `tremplin-notice`) is answered and not recorded again.
 */
export function listener(router: ConnectRouter, guests: Guests, events: EventLog, log: Logger): void {
  const handlers = TremplinListener.methods.map((method) => {
    const { kind, rule } = notices[method.localName as ListenerMethod];
    const handle = async (message: object, { requestHeader }: HandlerContext) => {
      const guest = await guests.sending(requestHeader);
      checkNotice(method.input, message, rule);
      const notice = { case: kind, value: message } as Notice;
      const id = requestHeader.get("tremplin-notice") ?? "";
      await events.append(guest.name, notice, id, operationIdIn(requestHeader));
      return {};
    };
    const told = (message: object, context: HandlerContext) =>
      handle(message, context).catch((thrown) => {
        log.warn({ notice: method.name, reason: errorMessage(thrown) }, "a notice was not taken");
        throw thrown instanceof ConnectError
          ? thrown
          : new ConnectError(errorMessage(thrown), Code.Unavailable);
      });
    return [method.localName, told];
  });
  router.service(TremplinListener, Object.fromEntries(handlers));
}
