import { AsyncLocalStorage } from "node:async_hooks";
import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { type NoticeAnswer, observed } from "../../base/observed.ts";
import type { DeliverNotice, HostAnswer, Outcome } from "./delivery.ts";
import type { ListenerMethod, Notice } from "./notice.ts";
import { type HostOutage, Outage } from "./outage.ts";

/** A notice that waits for its delivery. */
export interface QueuedNotice {
  /** The same for each try, different for each notice. */
  readonly id: string;
  /** Notices with the same key are delivered one after another, in the order they were sent; other keys do not wait. */
  readonly orderingKey: string;
  readonly notice: Notice;
  /** The operation that it is about; undefined for an event that no operation caused. */
  readonly operation?: string | undefined;
  /**
   * A final notice is never dropped. A waiting progress notice is replaced by the next one with its ordering key,
   * if both have the same rpc and the same operation.
   */
  readonly final: boolean;
  /** Not sent before this settles. */
  readonly notBefore?: Promise<void>;
  /** Carries content of a waiting notice (`own`) over to the one that replaces it. Default: nothing. */
  readonly coalesceInto?: (newer: Notice, own: Notice) => Notice;
  /** Called once, when the host has acknowledged or rejected it. */
  readonly onAnswered?: (answer: HostAnswer) => Promise<void>;
}

interface Waiting extends QueuedNotice {
  /** When it was sent, in milliseconds since 1970. */
  readonly since: number;
  /** Acts as part of the work that sent it, not of the one whose notice happened to come first. */
  readonly within: ReturnType<typeof AsyncLocalStorage.snapshot>;
}

type Queue = Waiting[];

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** A final notice that a reachable host has not acknowledged for so long counts as rejected: others wait behind it. */
const UNCLEAR_LIMIT_MS = 15_000;

/**
 * The notices that wait for delivery, in memory. While the host is unreachable they are retried in order, and
 * progress notices coalesce: the newest wins. The sender keeps what must survive the daemon (see Journal) until
 * `onAnswered` says that it need not any longer.
 */
export class NoticeQueue implements AsyncDisposable {
  readonly #deliver: DeliverNotice;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #queues = new Map<string, { queue: Queue; done: Promise<void> }>();
  readonly #announcement: Queue = [];
  readonly #outage: Outage;
  /** The last rejection of each rpc that was logged: a host that does not know a status rejects many notices alike. */
  readonly #logged = new Map<ListenerMethod, string>();
  readonly #gate = Promise.withResolvers<void>();
  readonly #closed = new AbortController();

  constructor(options: { deliver: DeliverNotice; clock: Clock; log: Logger }) {
    this.#deliver = options.deliver;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#outage = new Outage(options.clock, options.log);
    this.#gate.promise.catch(() => undefined);
  }

  /**
   * Delivers this one first, retrying until the host acknowledges or rejects it; every other notice waits for that. A
   * host that does not know its guest yet gives an unclear answer to all of them.
   */
  async open(first: QueuedNotice): Promise<void> {
    this.#announcement.push(this.#waiting(first));
    await this.#deliverHead(this.#announcement, Number.POSITIVE_INFINITY);
    this.#gate.resolve();
  }

  send(sent: QueuedNotice): void {
    const { orderingKey } = sent;
    const newest = this.#waiting(sent);
    const waiting = this.#queues.get(orderingKey);
    if (!waiting) {
      const queue = [newest];
      this.#queues.set(orderingKey, { queue, done: this.#drain(orderingKey, queue) });
      return;
    }
    const { queue } = waiting;
    const last = queue.at(-1);
    // The head may be on its way already: #deliverHead replaces it, between two tries.
    if (last && queue.length > 1 && isReplacedBy(last, newest))
      queue[queue.length - 1] = coalesce(last, newest);
    else queue.push(newest);
  }

  /** How many notices the host has not answered yet. */
  get length(): number {
    return this.#all.length;
  }

  /** The one of them that has waited longest. */
  get oldest(): (Pick<QueuedNotice, "notice" | "operation"> & { readonly since: number }) | undefined {
    return this.#all.toSorted((a, b) => a.since - b.since)[0];
  }

  /** Undefined while the host answers. */
  get outage(): HostOutage | undefined {
    return this.#outage.current;
  }

  /** Stops sending. The notices that wait stay unanswered: `onAnswered` is not called. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#gate.reject(this.#closed.signal.reason);
    await Promise.all([...this.#queues.values()].map(({ done }) => done));
  }

  get #all(): Queue {
    return [this.#announcement, ...[...this.#queues.values()].map(({ queue }) => queue)].flat();
  }

  #waiting(sent: QueuedNotice): Waiting {
    return { ...sent, since: this.#clock.now(), within: AsyncLocalStorage.snapshot() };
  }

  async #drain(orderingKey: string, queue: Queue): Promise<void> {
    try {
      await this.#gate.promise;
      while (queue.length > 0) await this.#deliverHead(queue);
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    } finally {
      this.#queues.delete(orderingKey);
    }
  }

  /** Delivers the head of a queue and takes it off. */
  async #deliverHead(queue: Queue, unclearLimit = UNCLEAR_LIMIT_MS): Promise<void> {
    const { signal } = this.#closed;
    let unclearFor = 0;
    for (const wait of backoff(FIRST_RETRY_MS, LAST_RETRY_MS)) {
      const head = coalesceHead(queue);
      await head.notBefore;
      const outcome = await head.within(this.#deliver, head.notice, head.id, signal, head.operation);
      signal.throwIfAborted();
      const answer = answerIn(outcome, !head.final || unclearFor >= unclearLimit);
      if (answer) {
        this.#outage.answered(queue);
        await this.#reportAnswer(head, answer);
        queue.shift();
        return;
      }
      if (outcome.kind === "unclear") unclearFor += wait;
      this.#outage.unreachable(queue, reasonOf(outcome));
      await this.#clock.sleep(wait, signal);
    }
  }

  async #reportAnswer({ id, notice, operation, onAnswered }: Waiting, answer: HostAnswer): Promise<void> {
    observed.noticeAnswer.publish({ notice: notice.method, answer: answer.kind } satisfies NoticeAnswer);
    if (answer.kind === "rejected") this.#logRejection(notice.method, id, operation, answer.reason);
    await onAnswered?.(answer).catch((error) =>
      this.#log.error({ error, id }, "a notice that the host answered could not be removed from disk"),
    );
  }

  /** Once for all notices of an operation that the host rejects for the same reason. */
  #logRejection(method: ListenerMethod, id: string, operation: string | undefined, reason: string): void {
    const rejection = JSON.stringify([operation ?? id, reason]);
    if (this.#logged.get(method) === rejection) return;
    this.#logged.set(method, rejection);
    this.#log.warn({ notice: method, id, operation, reason }, "the host rejected a notice");
  }
}

/** The answer in the outcome of a try; undefined if the notice is to be sent again. */
function answerIn(outcome: Outcome, isUnclearRejected: boolean): HostAnswer | undefined {
  if (outcome.kind === "acknowledged" || outcome.kind === "rejected") return outcome;
  return outcome.kind === "unclear" && isUnclearRejected
    ? { kind: "rejected", reason: outcome.reason }
    : undefined;
}

function reasonOf(outcome: Outcome): string {
  return "reason" in outcome ? outcome.reason : "";
}

/** The head of a queue, after every newer notice that may replace it has done so. */
function coalesceHead(queue: Queue): Waiting {
  for (;;) {
    const [head, next] = queue as [Waiting, Waiting?];
    if (!next || !isReplacedBy(head, next)) return head;
    queue.splice(0, 2, coalesce(head, next));
  }
}

/** Whether a newer notice makes a waiting one superfluous: only progress of the same rpc and operation does. */
function isReplacedBy(older: QueuedNotice, newer: QueuedNotice): boolean {
  return !older.final && older.notice.method === newer.notice.method && older.operation === newer.operation;
}

function coalesce(older: Waiting, newer: Waiting): Waiting {
  return older.coalesceInto ? { ...newer, notice: older.coalesceInto(newer.notice, older.notice) } : newer;
}
