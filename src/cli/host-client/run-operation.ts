import { toJson } from "@bufbuild/protobuf";
import { jsonLine } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Event, EventSchema } from "../../contract/tremplin/v1/host_pb.js";
import { type NoticeText, noticeText } from "../../host/notice-text.ts";
import { type CancellingCommand, cancelAdvice } from "./cancel-advice.ts";
import { followEvents } from "./follow-events.ts";
import type { CallSettings, HostApi } from "./host-api.ts";
import { watchLiveness } from "./liveness.ts";
import { refusalError } from "./refusal-error.ts";
import type { Session } from "./session.ts";

/** A guest's reply to a request for an operation. */
export type Reply =
  | { readonly kind: "accepted" }
  /** Nothing to do; `text` is the result to print. */
  | { readonly kind: "already"; readonly text: string }
  /** `text`: what is missing. Default: the container. */
  | { readonly kind: "missing"; readonly text?: string }
  | { readonly kind: "refused"; readonly reason: string };

/** An operation on one container: how to request it, and how to recognise its end. */
export interface OperationSpec {
  /** What is being done, for example "creating penguin". */
  readonly title: string;
  /** The kind of event that reports it. */
  readonly kind: Exclude<Event["notice"]["case"], undefined>;
  /** Empty for an operation on the engine itself. */
  readonly container: string;
  /** Whether the container must exist. Default: yes. */
  readonly mustExist?: boolean;
  readonly request: (api: HostApi, settings: CallSettings) => Promise<Reply>;
  /** Cancels the operation; Ctrl-C calls it once the operation is accepted. Without it Ctrl-C leaves the operation running. */
  readonly cancel?: (api: HostApi, settings: CallSettings) => Promise<unknown>;
  /** The command whose --cancel cancels it. Default: none does. */
  readonly cancelledBy?: CancellingCommand;
  /** What it does before its first notice. */
  readonly firstStep?: string;
  /** Return without waiting for the end. Default: no. */
  readonly detach?: boolean;
  /** Reads its events. Default: noticeText. */
  readonly read?: (event: Event) => NoticeText | undefined;
}

/** How an operation ended. */
export interface Outcome {
  /** "created", "already running" ... */
  readonly text: string;
  /** What the guest adds to a success, for example containers that a database reset could not bring back. */
  readonly remark?: string | undefined;
  /** The id of the operation; undefined where none began, or where the guest does not report it. */
  readonly operation: string | undefined;
}

/**
 * Subscribes to the events, requests an operation and waits for its final notice. Throws when it failed. Ctrl-C stops
 * the waiting; where the operation can be cancelled, it cancels that and waits for its end.
 */
export async function runOperation(session: Session, spec: OperationSpec): Promise<Outcome> {
  const { api, io, progress } = session;
  const stop = new AbortController();
  using interrupt = onInterrupt(io.interrupted);
  const signal = AbortSignal.any([interrupt.signal, stop.signal]);
  let newest: bigint | undefined;
  let operation: string | undefined;
  let ownEvents = 0;
  const onOwnEvent = (): void => {
    ownEvents++;
  };
  const ended = (text: string): Outcome => ({ text, operation });
  try {
    const following = await followEvents(api, {
      clock: io.clock,
      signal,
      onOutage: (reason) => (reason ? progress.stalled(reason) : progress.heartbeat()),
      onMissed: (from, to) =>
        progress.print(`the host dropped events ${from} to ${to} before this command read them`),
    });
    const onOperation = (id: string): void => {
      operation = id;
    };
    const reply = await spec.request(api, { signal, onOperation });
    newest = following.newest;
    if (reply.kind === "already") return ended(reply.text);
    if (reply.kind === "missing")
      throw new TremplinError("not-found", reply.text ?? `there is no container ${spec.container}`);
    if (reply.kind === "refused") {
      throw await refusalError(api, spec.title, spec.container, reply.reason, spec.mustExist ?? true);
    }
    if (spec.detach)
      return ended(`${continuesText(newest)}${cancelAdvice(spec.cancelledBy, spec.container)}`);
    const { cancel } = spec;
    if (cancel) {
      interrupt.act(() => {
        progress.print(`cancelling ${spec.title}`);
        cancel(api, { operation }).catch((reason) => stop.abort(reason));
      });
    }
    progress.update(spec.firstStep ?? "accepted by the guest");
    const target = { operation, container: spec.container };
    watchLiveness(api, target, progress, () => ownEvents, io.clock, signal).catch((reason) =>
      stop.abort(reason),
    );
    return {
      operation,
      ...(await waitForFinalNotice(following.events, session, spec, operation, onOwnEvent)),
    };
  } catch (thrown) {
    const error = interrupt.signal.aborted ? interruptedError(spec, newest) : thrown;
    throw TremplinError.ofOperation(operation, error);
  } finally {
    stop.abort();
  }
}

/** An interrupt aborts the signal, until `act` sets another reaction. */
function onInterrupt(interrupted: AbortSignal) {
  const controller = new AbortController();
  let act = (): void => controller.abort(interrupted.reason);
  const listener = (): void => act();
  interrupted.addEventListener("abort", listener);
  if (interrupted.aborted) act();
  return {
    signal: controller.signal,
    act(instead: () => void): void {
      act = instead;
      if (interrupted.aborted && !controller.signal.aborted) instead();
    },
    [Symbol.dispose]: () => interrupted.removeEventListener("abort", listener),
  };
}

async function waitForFinalNotice(
  events: AsyncIterable<Event>,
  { io, progress, json }: Session,
  spec: OperationSpec,
  operation: string | undefined,
  onOwnEvent: () => void,
): Promise<Pick<Outcome, "text" | "remark">> {
  for await (const event of events) {
    if (!belongsTo(event, spec, operation)) continue;
    onOwnEvent();
    const notice = (spec.read ?? noticeText)(event);
    if (!notice) continue;
    if (json) io.out(jsonLine({ event: toJson(EventSchema, event) }));
    if (notice.state === "going") progress.update(notice.text, notice.percent, notice.bytes);
    if (notice.state === "done") return { text: notice.text, remark: notice.reason };
    if (notice.state === "failed") {
      throw new TremplinError(
        spec.cancel && io.interrupted.aborted ? "cancelled" : "failed",
        [spec.container, notice.text].filter((part) => part !== "").join(": "),
      );
    }
  }
  throw new TremplinError("unavailable", `the host ended the event stream before ${spec.title} was finished`);
}

/** Whether an event is of that operation. Guests and hosts too old to send operation ids are matched by kind and container. */
function belongsTo(event: Event, { kind, container }: OperationSpec, operation: string | undefined): boolean {
  if (event.notice.case !== kind) return false;
  if (operation !== undefined && event.operation !== "") return event.operation === operation;
  return noticeText(event)?.container === container;
}

function interruptedError({ title, cancelledBy, container }: OperationSpec, newest?: bigint): TremplinError {
  const sentence =
    newest === undefined
      ? `interrupted before the guest replied; tremplin list shows whether ${title} began`
      : `${title} ${continuesText(newest)}${cancelAdvice(cancelledBy, container)}`;
  return new TremplinError("cancelled", sentence);
}

function continuesText(newest: bigint): string {
  return `continues in the background; follow it with tremplin watch --after ${newest}`;
}
