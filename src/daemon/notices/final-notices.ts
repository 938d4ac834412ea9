import { fromJson, toJson } from "@bufbuild/protobuf";
import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import { TremplinListener } from "../../contract/tremplin_pb.js";
import type { Acknowledgement } from "./delivery.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { type ListenerMethod, type Notice, type NoticeInit, notice } from "./notice.ts";
import type { NoticeQueue } from "./notice-queue.ts";
import { newOperationId } from "./operation-id.ts";
import type { RejectedNotices } from "./rejected-notices.ts";

/** The kind of entries that are no operations: what happened by itself. */
const HAPPENED = "notice";
const FIRST_RETRY = 250;
const LAST_RETRY = 10_000;

/** How an operation ended, to be made durable and sent. */
export interface FinalNotice {
  readonly final: Notice;
  /** Why something is left to clean up, if anything is. */
  readonly owed?: string | undefined;
  /** Not sent before this settles. */
  readonly answered: Promise<void>;
  /** Aborts when the daemon ends. */
  readonly signal: AbortSignal;
  /** Called once with a sentence when it cannot be written for now. */
  readonly onObstacle: (obstacle: string) => void;
}

/**
 * Final notices: on disk before they are sent, kept until the host has taken them, sent again by the next
 * daemon when this one dies in between.
 */
export class FinalNotices {
  readonly #journal: Journal;
  readonly #outbox: NoticeQueue;
  readonly #refused: RejectedNotices;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: {
    journal: Journal;
    outbox: NoticeQueue;
    refused: RejectedNotices;
    clock: Clock;
    log: Logger;
  }) {
    this.#journal = options.journal;
    this.#outbox = options.outbox;
    this.#refused = options.refused;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Ends an entry: the write that makes its notice durable is the one that ends it. An end that is not on disk would
   * be recovered again by the next daemon, perhaps days later, so this tries until it is, and only then sends it.
   * Rejects with the signal's reason when that aborts first.
   */
  async end(entry: JournalEntry, { final, owed, answered, signal, onObstacle }: FinalNotice): Promise<void> {
    const ended = { final: { method: final.method, message: jsonOf(final) }, ...(owed && { owed }) };
    let isFirst = true;
    for (const wait of backoff(FIRST_RETRY, LAST_RETRY)) {
      signal.throwIfAborted();
      try {
        await this.#journal.change(entry.id, (known) => ({ ...known, ...ended }));
        break;
      } catch (error) {
        if (isFirst) {
          this.#log.error({ error, id: entry.id }, "a final notice cannot be written: retrying");
          onObstacle(`its end cannot be written to the journal: ${errorMessage(error)}`);
          isFirst = false;
        }
        await this.#clock.sleep(wait, signal);
      }
    }
    this.#send(entry, final, answered);
  }

  /** Removes an entry whose clean-up is done, as soon as the host has its notice too. */
  async settle(id: string): Promise<void> {
    await this.#journal.change(id, ({ owed: _, ...entry }) => (entry.delivered ? undefined : entry));
  }

  /** Sends what happened by itself, as reliably as the end of an operation. */
  async tell<M extends ListenerMethod>(container: string, method: M, init: NoticeInit<M>): Promise<void> {
    const id = newOperationId();
    const final = notice(method, init);
    const entry = {
      id,
      kind: HAPPENED,
      container,
      startedAt: this.#clock.now(),
      request: {},
      steps: {},
      final: { method, message: jsonOf(final) },
    };
    try {
      await this.#journal.begin(entry);
    } catch (error) {
      // Nothing depends on it but that it is said once: it is sent from memory, and lost if the daemon dies before.
      this.#log.error({ error, id }, "a notice could not be written; it is sent all the same");
    }
    this.#send(entry, final);
  }

  /**
   * Sends what an earlier daemon did not get rid of, first what the host refused. An entry that cannot be read is set
   * aside alone.
   */
  async resend(entries: readonly JournalEntry[]): Promise<void> {
    const unsent = entries.filter(({ final, delivered }) => final && !delivered);
    await this.#refused.sendAgain(new Set(unsent.map(({ id }) => id)));
    for (const entry of unsent) {
      const final = entry.final && noticeOf(entry.final);
      if (final) this.#send(entry, final);
      else await this.#journal.setAside(entry.id, `it has no notice that this version knows`);
    }
  }

  #send({ id, container, kind }: JournalEntry, final: Notice, after = Promise.resolve()): void {
    const operation = kind === HAPPENED ? undefined : id;
    const settled = async (answer: Acknowledgement): Promise<void> => {
      if (answer.kind === "refused") {
        await this.#refused.keep({ id, container, operation, notice: final, reason: answer.reason });
      }
      await this.#journal.change(id, (entry) => (entry.owed ? { ...entry, delivered: true } : undefined));
    };
    const about = { id: `${id}-end`, orderingKey: container, notice: final, operation };
    this.#outbox.send({ ...about, final: true, notBefore: after, onAcknowledged: settled });
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
