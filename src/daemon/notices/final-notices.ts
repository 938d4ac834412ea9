import { fromJson, toJson } from "@bufbuild/protobuf";
import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import { TremplinListener } from "../../contract/tremplin_pb.js";
import type { HostAnswer } from "./delivery.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { type ListenerMethod, type Notice, type NoticeInit, notice } from "./notice.ts";
import type { NoticeQueue } from "./notice-queue.ts";
import { newOperationId } from "./operation-id.ts";
import type { RejectedNotices } from "./rejected-notices.ts";

/** The kind of journal entries that are no operations: notices of an event that no operation caused. */
const NOTICE_ONLY = "notice";
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

/** How an operation ended, to be made durable and sent. */
export interface FinalNotice {
  readonly final: Notice;
  /** Why something is left to clean up, if anything is. */
  readonly owed?: string | undefined;
  /** The name that the container has by now, if it is another one: what is owed needs the lock of that. */
  readonly container?: string | undefined;
  /** Not sent before this settles. */
  readonly notBefore: Promise<void>;
  /** Aborts when the daemon stops. */
  readonly signal: AbortSignal;
  /** Called once with a sentence when it cannot be written for now. */
  readonly onObstacle: (obstacle: string) => void;
}

/**
 * Final notices: on disk before they are sent, kept until the host has answered them, sent again by the next
 * daemon when this one dies in between.
 */
export class FinalNotices {
  readonly #journal: Journal;
  readonly #queue: NoticeQueue;
  readonly #rejected: RejectedNotices;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: {
    journal: Journal;
    queue: NoticeQueue;
    rejected: RejectedNotices;
    clock: Clock;
    log: Logger;
  }) {
    this.#journal = options.journal;
    this.#queue = options.queue;
    this.#rejected = options.rejected;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Ends an entry: the write that makes its notice durable also ends it. The next daemon would recover an end that is
   * not on disk, perhaps days later; so this retries the write until it succeeds, and only then sends the notice.
   * Rejects with the signal's reason when that aborts first.
   */
  async end(
    entry: JournalEntry,
    { final, owed, container, notBefore, signal, onObstacle }: FinalNotice,
  ): Promise<void> {
    const ended = {
      final: { method: final.method, message: jsonOf(final) },
      ...(owed && { owed }),
      ...(container && { container }),
    };
    let isFirst = true;
    for (const wait of backoff(FIRST_RETRY_MS, LAST_RETRY_MS)) {
      signal.throwIfAborted();
      try {
        await this.#journal.change(entry.id, (known) => ({ ...known, ...ended }));
        break;
      } catch (error) {
        if (isFirst) {
          this.#log.error({ error, id: entry.id }, "a final notice cannot be written; retrying");
          onObstacle(`its end cannot be written to the journal: ${errorMessage(error)}`);
          isFirst = false;
        }
        await this.#clock.sleep(wait, signal);
      }
    }
    this.#send(entry, final, notBefore);
  }

  /** Removes the debt of an entry, and the entry itself once the host has answered its notice. */
  async markCleanedUp(id: string): Promise<void> {
    await this.#journal.change(id, ({ owed: _, ...entry }) => (entry.delivered ? undefined : entry));
  }

  /** Sends a notice of an event that no operation caused, as reliably as the end of an operation. */
  async notify<M extends ListenerMethod>(container: string, method: M, init: NoticeInit<M>): Promise<void> {
    const id = newOperationId();
    const final = notice(method, init);
    const entry = {
      id,
      kind: NOTICE_ONLY,
      container,
      startedAt: this.#clock.now(),
      request: {},
      steps: {},
      final: { method, message: jsonOf(final) },
    };
    try {
      await this.#journal.begin(entry);
    } catch (error) {
      // The notice is sent from memory, and lost if the daemon dies first.
      this.#log.error(
        { error, id },
        "a notice could not be written to the journal; it is sent without an entry",
      );
    }
    this.#send(entry, final);
  }

  /**
   * Sends the final notices that an earlier daemon left: first those that the host rejected, then those that it has
   * not answered. Sets aside an entry whose notice cannot be read.
   */
  async resend(entries: readonly JournalEntry[]): Promise<void> {
    const unsent = entries.filter(({ final, delivered }) => final && !delivered);
    await this.#rejected.sendAgain(new Set(unsent.map(({ id }) => id)));
    for (const entry of unsent) {
      const final = entry.final && noticeOf(entry.final);
      if (final) this.#send(entry, final);
      else await this.#journal.setAside(entry.id, "it has no notice that this version knows");
    }
  }

  #send({ id, container, kind }: JournalEntry, final: Notice, notBefore = Promise.resolve()): void {
    const operation = kind === NOTICE_ONLY ? undefined : id;
    const onAnswered = async (answer: HostAnswer): Promise<void> => {
      if (answer.kind === "rejected") {
        await this.#rejected.keep({ id, container, operation, notice: final, reason: answer.reason });
      }
      await this.#journal.change(id, (entry) => (entry.owed ? { ...entry, delivered: true } : undefined));
    };
    const queued = { id: `${id}-end`, orderingKey: container, notice: final, operation };
    this.#queue.send({ ...queued, final: true, notBefore, onAnswered });
  }
}

function jsonOf(final: Notice): unknown {
  return toJson(TremplinListener.method[final.method].input, final.message as never);
}

function noticeOf({ method, message }: NonNullable<JournalEntry["final"]>): Notice | undefined {
  const known = TremplinListener.method[method as ListenerMethod];
  if (!known) return undefined;
  try {
    const read = fromJson(known.input, message as never, { ignoreUnknownFields: true });
    return { method, message: read } as Notice;
  } catch {
    return undefined;
  }
}
