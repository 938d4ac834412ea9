import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Acknowledgement, Deliver } from "./delivery.ts";
import type { Notice } from "./notice.ts";
import { type HostAway, Outage } from "./outage.ts";

/** A notice on its way to the host. */
export interface QueuedNotice {
  /** The same for each try, different for each notice. */
  readonly id: string;
  /** Parcels of one lane arrive in the order they were sent; lanes do not wait for each other. */
  readonly orderingKey: string;
  readonly notice: Notice;
  /** The operation that it is about; undefined for what happened by itself. */
  readonly operation?: string | undefined;
  /**
   * A final parcel is never dropped; one in progress gives way, while it waits, to the next of its lane when that is of
   * the same rpc and the same operation.
   */
  readonly final: boolean;
  /** Not sent before this settles. */
  readonly notBefore?: Promise<void>;
  /** What of this parcel, with all that it took over itself, must live on in the one that replaces it. Default: nothing. */
  readonly coalesceInto?: (newer: Notice, own: Notice) => Notice;
  /** Called once the host has taken it, or refused it. */
  readonly onAcknowledged?: (answer: Acknowledgement) => Promise<void>;
}

interface Queued extends QueuedNotice {
  /** When it was sent, in milliseconds since 1970. */
  readonly since: number;
}

type Queue = Queued[];

const FIRST_RETRY = 100;
const LAST_RETRY = 5_000;

/**
 * The ordered queue of notices towards the host. While the host is away parcels wait, and those in progress
 * merge: the newest wins. What must survive the daemon is kept by whoever sends (see the journal), which
 * learns by `settled` that it need not be kept any longer.
 */
export class NoticeQueue implements AsyncDisposable {
  readonly #deliver: Deliver;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lanes = new Map<string, { queue: Queue; done: Promise<void> }>();
  readonly #opening: Queue = [];
  readonly #outage: Outage;
  readonly #gate = Promise.withResolvers<void>();
  readonly #closed = new AbortController();

  constructor(options: { deliver: Deliver; clock: Clock; log: Logger }) {
    this.#deliver = options.deliver;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#outage = new Outage(options.clock, options.log);
    this.#gate.promise.catch(() => undefined);
  }

  /** Sends this one first, trying until the host takes it; everything else waits for that. */
  async open(first: QueuedNotice): Promise<void> {
    this.#opening.push(this.#queued(first));
    await this.#deliverHead(this.#opening);
    this.#gate.resolve();
  }

  send(parcel: QueuedNotice): void {
    const queued = this.#queued(parcel);
    const lane = this.#lanes.get(parcel.orderingKey);
    if (!lane) {
      const queue = [queued];
      const done = this.#work(parcel.orderingKey, queue);
      this.#lanes.set(parcel.orderingKey, { queue, done });
      return;
    }
    const last = lane.queue.at(-1);
    // The head may be on its way already: it is replaced by the loop that sends it, not here.
    if (last && lane.queue.length > 1 && givesWay(last, queued)) {
      lane.queue[lane.queue.length - 1] = replace(last, queued);
    } else lane.queue.push(queued);
  }

  /** How many notices the host has not taken yet. */
  get waiting(): number {
    return this.#all.length;
  }

  /** The one of them that waits longest. */
  get oldest(): (Pick<QueuedNotice, "notice" | "operation"> & { readonly since: number }) | undefined {
    return this.#all.toSorted((a, b) => a.since - b.since)[0];
  }

  /** Undefined while the host answers. */
  get hostAway(): HostAway | undefined {
    return this.#outage.current;
  }

  /** Stops sending. What waits is not lost: its senders have not been told that it settled. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#gate.reject(this.#closed.signal.reason);
    await Promise.all([...this.#lanes.values()].map(({ done }) => done));
  }

  get #all(): Queue {
    return [this.#opening, ...[...this.#lanes.values()].map(({ queue }) => queue)].flat();
  }

  #queued(parcel: QueuedNotice): Queued {
    return { ...parcel, since: this.#clock.now() };
  }

  async #work(name: string, queue: Queue): Promise<void> {
    try {
      await this.#gate.promise;
      while (queue.length > 0) await this.#deliverHead(queue);
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    } finally {
      this.#lanes.delete(name);
    }
  }

  /** Delivers the head of a queue and takes it off. */
  async #deliverHead(queue: Queue): Promise<void> {
    const { signal } = this.#closed;
    for (const wait of backoff(FIRST_RETRY, LAST_RETRY)) {
      const head = newest(queue);
      await head.notBefore;
      const outcome = await this.#deliver(head.notice, head.id, signal, head.operation);
      signal.throwIfAborted();
      if (outcome.kind !== "away") {
        this.#outage.ended(queue);
        if (outcome.kind === "refused") this.#logRefusal(head, outcome.reason);
        await head
          .onAcknowledged?.(outcome)
          .catch((error) => this.#log.error({ error, id: head.id }, "a settled notice is still kept"));
        queue.shift();
        return;
      }
      this.#outage.began(queue, outcome.reason);
      await this.#clock.sleep(wait, signal);
    }
  }

  #logRefusal(parcel: QueuedNotice, reason: string): void {
    this.#log.warn({ notice: parcel.notice.method, id: parcel.id, reason }, "the host refuses a notice");
  }
}

/** The head of a queue, after whatever newer it gives way to has taken its place. */
function newest(queue: Queue): Queued {
  for (;;) {
    const [head, next] = queue as [Queued, Queued?];
    if (!next || !givesWay(head, next)) return head;
    queue.splice(0, 2, replace(head, next));
  }
}

/** Whether all that a waiting notice says is said by a newer one too: only of its own rpc and operation. */
function givesWay(older: QueuedNotice, newer: QueuedNotice): boolean {
  return !older.final && older.notice.method === newer.notice.method && older.operation === newer.operation;
}

function replace(older: Queued, newer: Queued): Queued {
  return older.coalesceInto ? { ...newer, notice: older.coalesceInto(newer.notice, older.notice) } : newer;
}
