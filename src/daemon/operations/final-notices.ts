import { fromJson, toJson } from "@bufbuild/protobuf";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinListener } from "../../contract/tremplin_pb.js";
import type { Answer } from "../notices/delivery.ts";
import { type ListenerMethod, type Notice, type NoticeInit, notice } from "../notices/notice.ts";
import type { Outbox } from "../notices/outbox.ts";
import type { RefusedNotices } from "../notices/refused-notices.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { newOperationId } from "./operation-id.ts";

/** The kind of an entry that is no operation: something that happened by itself. */
const HAPPENED = "notice";

/**
 * Final notices: on disk before they are sent, kept until the host has taken them, sent again by the next
 * daemon when this one dies in between.
 */
export class FinalNotices {
  readonly #journal: Journal;
  readonly #outbox: Outbox;
  readonly #refused: RefusedNotices;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: {
    journal: Journal;
    outbox: Outbox;
    refused: RefusedNotices;
    clock: Clock;
    log: Logger;
  }) {
    this.#journal = options.journal;
    this.#outbox = options.outbox;
    this.#refused = options.refused;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Ends an entry: the write that makes its notice durable is the one that ends it. */
  async end(entry: JournalEntry, final: Notice, answered = Promise.resolve()): Promise<void> {
    const message = toJson(TremplinListener.method[final.method].input, final.message as never);
    try {
      await this.#journal.write({ ...entry, final: { method: final.method, message } });
    } catch (error) {
      this.#log.error(
        { error, id: entry.id },
        "a final notice could not be written; it is sent all the same",
      );
    }
    this.#send(entry, final, answered);
  }

  /** Tells what happened by itself, as surely as the end of an operation. */
  async tell<M extends ListenerMethod>(container: string, method: M, init: NoticeInit<M>): Promise<void> {
    const id = newOperationId();
    const entry = { id, kind: HAPPENED, container, startedAt: this.#clock.now(), request: {}, steps: {} };
    await this.end(entry, notice(method, init));
  }

  /** Sends what an earlier daemon did not get rid of. */
  resend(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      const method = entry.final?.method as ListenerMethod | undefined;
      if (!method) continue;
      const message = fromJson(TremplinListener.method[method].input, entry.final?.message as never);
      this.#send(entry, { method, message } as Notice);
    }
  }

  #send({ id, container, kind }: JournalEntry, final: Notice, after = Promise.resolve()): void {
    const operation = kind === HAPPENED ? undefined : id;
    const settled = async (answer: Answer): Promise<void> => {
      if (answer.kind === "refused") {
        await this.#refused.keep({ id, container, operation, notice: final, reason: answer.reason });
      }
      await this.#journal.remove(id);
    };
    const about = { id: `${id}-end`, lane: container, notice: final, operation };
    this.#outbox.send({ ...about, final: true, after, settled });
  }
}
