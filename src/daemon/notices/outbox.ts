import { backoff } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Deliver } from "./delivery.ts";
import type { Notice } from "./notice.ts";

/** A notice on its way to the host. */
export interface Parcel {
  /** The same for each try, different for each notice. */
  readonly id: string;
  /** Parcels of one lane arrive in the order they were sent; lanes do not wait for each other. */
  readonly lane: string;
  readonly notice: Notice;
  /** A final parcel is never dropped; one in progress gives way to the next of its lane while it waits. */
  readonly final: boolean;
  /** Not sent before this settles. */
  readonly after?: Promise<void>;
  /** What of this parcel, with all that it took over itself, must live on in the one that replaces it. Default: nothing. */
  readonly absorbedBy?: (newer: Notice, own: Notice) => Notice;
  /** Called once the host has taken it, or refused it for good. */
  readonly settled?: () => Promise<void>;
}

const FIRST_RETRY = 100;
const LAST_RETRY = 5_000;

/**
 * The ordered queue of notices towards the host. While the host is away parcels wait, and those in progress
 * merge: the newest wins. What must survive the daemon is kept by whoever sends (see the journal), which
 * learns by `settled` that it need not be kept any longer.
 */
export class Outbox implements AsyncDisposable {
  readonly #deliver: Deliver;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lanes = new Map<string, { queue: Parcel[]; done: Promise<void> }>();
  readonly #gate = Promise.withResolvers<void>();
  readonly #closed = new AbortController();

  constructor(options: { deliver: Deliver; clock: Clock; log: Logger }) {
    this.#deliver = options.deliver;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#gate.promise.catch(() => undefined);
  }

  /** Sends this one first, trying until the host takes it; everything else waits for that. */
  async open(first: Parcel): Promise<void> {
    await this.#bring([first]);
    this.#gate.resolve();
  }

  send(parcel: Parcel): void {
    const lane = this.#lanes.get(parcel.lane);
    if (!lane) {
      const queue = [parcel];
      const done = this.#work(parcel.lane, queue);
      this.#lanes.set(parcel.lane, { queue, done });
      return;
    }
    const last = lane.queue.at(-1);
    // The head may be on its way already: it is replaced by the loop that sends it, not here.
    if (last && lane.queue.length > 1 && !last.final)
      lane.queue[lane.queue.length - 1] = replace(last, parcel);
    else lane.queue.push(parcel);
  }

  /** How many notices the host has not taken yet. */
  get waiting(): number {
    return [...this.#lanes.values()].reduce((sum, { queue }) => sum + queue.length, 0);
  }

  /** Stops sending. What waits is not lost: its senders have not been told that it settled. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#gate.reject(this.#closed.signal.reason);
    await Promise.all([...this.#lanes.values()].map(({ done }) => done));
  }

  async #work(name: string, queue: Parcel[]): Promise<void> {
    try {
      await this.#gate.promise;
      while (queue.length > 0) await this.#bring(queue);
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    } finally {
      this.#lanes.delete(name);
    }
  }

  /** Delivers the head of a queue and takes it off. */
  async #bring(queue: Parcel[]): Promise<void> {
    const { signal } = this.#closed;
    for (const wait of backoff(FIRST_RETRY, LAST_RETRY)) {
      const head = newest(queue);
      await head.after;
      const outcome = await this.#deliver(head.notice, head.id, signal);
      signal.throwIfAborted();
      if (outcome.kind !== "away") {
        if (outcome.kind === "refused") this.#logRefusal(head, outcome.reason);
        await head
          .settled?.()
          .catch((error) => this.#log.error({ error, id: head.id }, "a settled notice is still kept"));
        queue.shift();
        return;
      }
      this.#log.debug({ notice: head.notice.method, reason: outcome.reason }, "the host is away");
      await this.#clock.sleep(wait, signal);
    }
  }

  #logRefusal(parcel: Parcel, reason: string): void {
    this.#log.warn({ notice: parcel.notice.method, id: parcel.id, reason }, "the host refuses a notice");
  }
}

/** The head of a queue, after whatever newer it gives way to has taken its place. */
function newest(queue: Parcel[]): Parcel {
  for (;;) {
    const [head, next] = queue as [Parcel, Parcel?];
    if (!next || !givesWay(head, next)) return head;
    queue.splice(0, 2, replace(head, next));
  }
}

/** What an older parcel wants to live on can only live on in a notice of its own kind. */
function givesWay(older: Parcel, newer: Parcel): boolean {
  return !older.final && (!older.absorbedBy || older.notice.method === newer.notice.method);
}

function replace(older: Parcel, newer: Parcel): Parcel {
  return older.absorbedBy ? { ...newer, notice: older.absorbedBy(newer.notice, older.notice) } : newer;
}
