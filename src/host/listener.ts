import type { DescMethod, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type { Logger } from "../base/logger.ts";
import { type NoticeTaken, observed } from "../base/observed.ts";
import { errorMessage } from "../base/tremplin-error.ts";
import { StartLxdProgress_Status, TremplinListener } from "../contract/tremplin_pb.js";
import type { OnFailure } from "../transport/answer-calls.ts";
import { callerKey } from "../transport/caller.ts";
import { operationIdIn } from "../transport/operation-id.ts";
import type { ForwardRenames } from "./forwards/forward-renames.ts";
import type { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";
import { checkNotice, type NoticeRule } from "./notice-check.ts";
import type { NoticeLimits } from "./notice-limits.ts";
import { noticeText } from "./notice-text.ts";
import { senderOf } from "./sender.ts";
import type { EventStore, Notice } from "./store/event-store.ts";

type ListenerMethod = keyof typeof TremplinListener.method;
type EventKind = Exclude<Notice["case"], undefined | "begun">;

/** Daemons use about 40. */
const MAX_ID_LENGTH = 128;

const lenient: NoticeRule = { missingName: Code.FailedPrecondition, unknownStatus: "clear" };
const strict: NoticeRule = { unknownStatus: "reject" };

/** Each rpc of the listener: its kind of event, and the rule for its message (docs/contract.md#tremplinlistener). */
const notices: Readonly<Record<ListenerMethod, { readonly kind: EventKind; readonly rule: NoticeRule }>> = {
  tremplinReady: { kind: "ready", rule: {} },
  updateStartLxdStatus: { kind: "startLxd", rule: strict },
  updateCreateStatus: { kind: "create", rule: lenient },
  updateDeletionStatus: { kind: "delete", rule: lenient },
  updateStartStatus: { kind: "start", rule: lenient },
  updateStopStatus: { kind: "stop", rule: lenient },
  updateExportStatus: { kind: "export", rule: strict },
  updateImportStatus: { kind: "import", rule: strict },
  containerShutdown: { kind: "shutdown", rule: { missingName: Code.InvalidArgument } },
  updateListeningPorts: { kind: "ports", rule: {} },
  upgradeContainerStatus: { kind: "upgrade", rule: strict },
};

export interface ListenerDeps {
  readonly guests: Guests;
  readonly events: EventStore;
  readonly limits: NoticeLimits;
  readonly renames: Pick<ForwardRenames, "onNotice">;
  readonly log: Logger;
  /** Called when a daemon, or the engine of one, has just begun to serve. */
  readonly isReady: (guest: Guest, what: "daemon" | "engine") => void;
}

/** What has just begun to serve. */
function begunIn(notice: Notice): "daemon" | "engine" | undefined {
  if (notice.case === "ready") return "daemon";
  const isUp = notice.case === "startLxd" && notice.value.status === StartLxdProgress_Status.STARTED;
  return isUp ? "engine" : undefined;
}

function logEnd(log: Logger, guest: string, notice: Notice, operation: string | undefined): void {
  if (operation === undefined) return;
  const read = noticeText({ notice });
  if (!read || read.state === "going") return;
  const { container, state: result } = read;
  log.info({ operation, guest, container, notice: notice.case, result }, "an operation has ended");
}

/**
 * Routes of TremplinListener. A notice is on disk before it is acknowledged. One whose id (the metadata
 * `tremplin-notice`) is already recorded is acknowledged and not recorded again. `expected`: the guest that sends to
 * this address, if it is for one alone.
 */
export function listener(
  router: ConnectRouter,
  { guests, events, limits, renames, isReady, log }: ListenerDeps,
  expected: () => string | undefined,
): void {
  const handlers = TremplinListener.methods.map((method) => {
    const { kind, rule } = notices[method.localName as ListenerMethod];
    const handle = async (message: object, { requestHeader, values }: HandlerContext) => {
      const sender = senderOf(values.get(callerKey), expected(), guests);
      if ("refusal" in sender) throw new ConnectError(sender.refusal.sentence, sender.refusal.code);
      const { guest } = sender;
      await guest.confirmDaemon(requestHeader.get("tremplin-daemon") ?? "");
      limits.admit(guest.name, method.input, kind, message as MessageShape<typeof method.input>);
      checkNotice(method.input, message, rule);
      const notice = { case: kind, value: message } as Notice;
      const id = requestHeader.get("tremplin-notice") ?? "";
      if (id.length > MAX_ID_LENGTH) {
        throw new ConnectError(
          `tremplin-notice has more than ${MAX_ID_LENGTH} characters`,
          Code.InvalidArgument,
        );
      }
      const operation = operationIdIn(requestHeader);
      await renames.onNotice(guest.name, notice, operation);
      await events.append(guest.name, notice, id, operation);
      logEnd(log, guest.name, notice, operation);
      const begun = begunIn(notice);
      if (begun) isReady(guest, begun);
      return {};
    };
    const countAs = (result: NoticeTaken["result"]): void =>
      observed.noticeTaken.publish({ notice: method.localName, result } satisfies NoticeTaken);
    const handleOrAnswer = async (message: object, context: HandlerContext) => {
      try {
        const taken = await handle(message, context);
        countAs("taken");
        return taken;
      } catch (thrown) {
        countAs("refused");
        if (thrown instanceof ConnectError) throw thrown;
        throw new ConnectError(errorMessage(thrown), Code.Unavailable);
      }
    };
    return [method.localName, handleOrAnswer];
  });
  router.service(TremplinListener, Object.fromEntries(handlers));
}

/** The path of the rpc's requests. */
export function rpcPath({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** Answers notices at an address that is not for guests, so that they are sent again once the address is corrected. */
export function misdirectedNotices(router: ConnectRouter, logFailure: OnFailure): void {
  const sentence = "notices are not taken here: give the daemon an address of the host's --listener";
  const handlers = TremplinListener.methods.map((method) => [
    method.localName,
    (_message: object, { values }: HandlerContext): never => {
      logFailure(rpcPath(method), values.get(callerKey), sentence);
      throw new ConnectError(sentence, Code.FailedPrecondition);
    },
  ]);
  router.service(TremplinListener, Object.fromEntries(handlers));
}
