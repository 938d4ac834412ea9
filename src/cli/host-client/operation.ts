import { toJson } from "@bufbuild/protobuf";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Event, EventSchema } from "../../contract/tremplin/v1/host_pb.js";
import type { Io } from "../io.ts";
import type { Progress } from "../progress/progress.ts";
import { type NoticeText, noticeText } from "../text/notice-text.ts";
import { refusal } from "../text/refusal.ts";
import { followEvents } from "./follow-events.ts";
import type { CallSettings, HostApi } from "./host-api.ts";
import { watchLiveness } from "./liveness.ts";

/** What a guest said to a request for work. */
export type Answer =
  | { readonly kind: "accepted" }
  | { readonly kind: "already"; readonly words: string }
  | { readonly kind: "missing" }
  | { readonly kind: "refused"; readonly reason: string };

/** Work on one container to be asked for and waited for. */
export interface Work {
  /** What is being done, for example "creating penguin". */
  readonly title: string;
  /** The kind of event that tells of it. */
  readonly kind: Exclude<Event["notice"]["case"], undefined>;
  /** Empty for work on the engine itself. */
  readonly container: string;
  /** Whether the container must exist; default yes. */
  readonly mustExist?: boolean;
  readonly ask: (api: HostApi, settings: CallSettings) => Promise<Answer>;
  /** Asks the guest to end it, once it is under way: that is what Ctrl-C does then. Without, the work goes on. */
  readonly cancel?: (api: HostApi, settings: CallSettings) => Promise<void>;
  /** Do not wait for the end. Default no. */
  readonly detach?: boolean;
  /** How its events are read, where noticeText alone does not do. */
  readonly read?: (event: Event) => NoticeText | undefined;
}

/** How work ended. */
export interface Outcome {
  /** "created", "runs already" ... */
  readonly words: string;
  /** The operation that it was; undefined where none began, or where the guest does not say it. */
  readonly operation: string | undefined;
}

/** What runs a command: who is asked, who looks on. */
export interface Session {
  readonly api: HostApi;
  readonly io: Io;
  readonly progress: Progress;
  readonly json: boolean;
}

/**
 * Attaches to the events, asks for work, and waits for its final notice. Answers how it ended; throws when
 * it failed. Ctrl-C ends the waiting, and the work too where it can be
 * cancelled: then the end of that is waited for.
 */
export async function runOperation(session: Session, work: Work): Promise<Outcome> {
  const { api, io, progress } = session;
  const stop = new AbortController();
  using interrupt = onInterrupt(io.interrupted);
  const signal = AbortSignal.any([interrupt.signal, stop.signal]);
  let newest: bigint | undefined;
  let operation: string | undefined;
  const ended = (words: string): Outcome => ({ words, operation });
  try {
    const following = await followEvents(api, {
      clock: io.clock,
      signal,
      onAway: (reason) => (reason ? progress.doubt(reason) : progress.alive()),
      onMissed: (from, to) =>
        progress.say(`events ${from} to ${to} were dropped by the host before they were read`),
    });
    const onOperation = (id: string): void => {
      operation = id;
    };
    const answer = await work.ask(api, { signal, onOperation });
    newest = following.newest;
    if (answer.kind === "already") return ended(answer.words);
    if (answer.kind === "missing")
      throw new TremplinError("not-found", `there is no container ${work.container}`);
    if (answer.kind === "refused") {
      throw await refusal(api, work.title, work.container, answer.reason, work.mustExist ?? true);
    }
    if (work.detach) return ended(goesOn(newest));
    const { cancel } = work;
    if (cancel) {
      interrupt.act(() => {
        progress.say(`cancelling ${work.title}`);
        cancel(api, { operation }).catch((reason) => stop.abort(reason));
      });
    }
    progress.step("the guest is at work");
    const meant = { operation, container: work.container };
    watchLiveness(api, meant, progress, () => following.newest, io.clock, signal).catch((reason) =>
      stop.abort(reason),
    );
    return ended(await untilFinal(following.events, session, work, operation));
  } catch (thrown) {
    if (!interrupt.signal.aborted) throw thrown;
    throw interrupted(work.title, newest);
  } finally {
    stop.abort();
  }
}

/** What an interrupt does: it aborts the signal, until something else is to be done instead. */
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

async function untilFinal(
  events: AsyncIterable<Event>,
  { io, progress, json }: Session,
  work: Work,
  operation: string | undefined,
): Promise<string> {
  for await (const event of events) {
    const text = isOf(event, work, operation) ? (work.read ?? noticeText)(event) : undefined;
    if (!text) continue;
    if (json) io.out(`${JSON.stringify({ event: toJson(EventSchema, event) })}\n`);
    if (text.state === "going") progress.step(text.words, text.percent, text.bytes);
    if (text.state === "done") return text.words;
    if (text.state === "failed") {
      throw new TremplinError(
        work.cancel && io.interrupted.aborted ? "cancelled" : "failed",
        [work.container, text.words].filter((word) => word !== "").join(": "),
      );
    }
  }
  throw new TremplinError("unavailable", `the events ended before ${work.title} did`);
}

/** Whether an event tells of that work. Kind and container say it only where guest or host is too old to name operations. */
function isOf(event: Event, { kind, container }: Work, operation: string | undefined): boolean {
  if (event.notice.case !== kind) return false;
  if (operation !== undefined && event.operation !== "") return event.operation === operation;
  return noticeText(event)?.container === container;
}

function interrupted(title: string, newest: bigint | undefined): TremplinError {
  const sentence =
    newest === undefined
      ? `interrupted before the guest answered: whether ${title} began, tremplin list shows`
      : `${title} ${goesOn(newest)}`;
  return new TremplinError("cancelled", sentence);
}

function goesOn(newest: bigint): string {
  return `goes on in the background; tremplin watch --after ${newest} shows how`;
}
