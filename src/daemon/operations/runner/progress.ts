import type { Clock } from "../../../base/async/clock.ts";
import type { JournalEntry } from "../../notices/journal.ts";
import { type ListenerMethod, type NoticeInit, notice } from "../../notices/notice.ts";
import type { NoticeQueue } from "../../notices/notice-queue.ts";
import type { OperationKind } from "./operation.ts";

const HEARTBEAT_MS = 30_000;

type Message = NoticeInit<ListenerMethod>;

interface ProgressOptions {
  readonly kind: OperationKind;
  readonly entry: JournalEntry;
  readonly queue: NoticeQueue;
  readonly clock: Clock;
  /** No notice leaves before this resolves. */
  readonly answered: Promise<void>;
}

/** Sends the progress of one operation to the host. */
export class Progress {
  readonly #options: ProgressOptions;
  #last: Message | undefined;
  #acknowledged = Promise.resolve();
  #count = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** The last message that was sent. */
  get last(): Message | undefined {
    return this.#last;
  }

  /** Resolves once the host has acknowledged or rejected the last message. */
  acknowledged(): Promise<void> {
    return this.#acknowledged;
  }

  send(message: Message): void {
    const { kind, entry, queue, answered } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = message;
    this.#acknowledged = promise;
    queue.send({
      id: `${entry.id}-${++this.#count}`,
      orderingKey: entry.container,
      notice: notice(kind.notify, message),
      operation: entry.id,
      final: false,
      notBefore: answered,
      onAnswered: async () => resolve(),
      ...(kind.coalesce && {
        coalesceInto: (newer, own) =>
          notice(kind.notify, kind.coalesce?.(own.message, newer.message) ?? newer.message),
      }),
    });
  }

  /** Repeats the last message while `act` runs: hosts give up on operations that send nothing. */
  async repeatDuring<T>(act: () => Promise<T>, shutdownSignal: AbortSignal): Promise<T> {
    const done = new AbortController();
    const signal = AbortSignal.any([shutdownSignal, done.signal]);
    const repeat = async (): Promise<void> => {
      for (;;) {
        await this.#options.clock.sleep(HEARTBEAT_MS, signal);
        if (this.#last) this.send(this.#last);
      }
    };
    repeat().catch(() => undefined);
    try {
      return await act();
    } finally {
      done.abort();
    }
  }
}
