import { randomBytes } from "node:crypto";
import { type DescMessage, fromJson, type Message, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type ListenerMethod, type NoticeInit, notice } from "../notices/notice.ts";
import type { Outbox } from "../notices/outbox.ts";
import type { FinalNotices } from "./final-notices.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import { Locks } from "./locks.ts";
import type { Operation, OperationContext, OperationKind } from "./operation.ts";

/** An accepted piece of work: what to do, for whom, and what the journal has of it. */
interface Work {
  readonly kind: OperationKind;
  readonly request: Message;
  readonly entry: JournalEntry;
  readonly lock: Disposable;
  readonly answered: Promise<void>;
}

interface Running {
  readonly operation: Operation;
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/**
 * The reason that ends an operation without a final notice, also one that was cancelled and is being undone: the
 * next daemon recovers it.
 */
export const daemonEnds = new TremplinError("cancelled", "the daemon ends");

/**
 * Runs operations of all kinds: one at a time per container, journalled, cancellable, and each ending in
 * exactly one final notice, whatever happens to this process.
 */
export class Runner implements AsyncDisposable {
  readonly locks = new Locks();
  readonly #kinds = new Map<string, OperationKind>();
  readonly #running = new Set<Running>();
  readonly #journal: Journal;
  readonly #outbox: Outbox;
  readonly #finals: FinalNotices;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: {
    journal: Journal;
    outbox: Outbox;
    finals: FinalNotices;
    clock: Clock;
    log: Logger;
  }) {
    this.#journal = options.journal;
    this.#outbox = options.outbox;
    this.#finals = options.finals;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Makes a kind known, so that what an earlier daemon left of it can be recovered. */
  add<R extends DescMessage, M extends ListenerMethod>(kind: OperationKind<R, M>): OperationKind<R, M> {
    this.#kinds.set(kind.name, kind as unknown as OperationKind);
    return kind;
  }

  /**
   * Accepts work on a container (empty: on the engine itself). When this has resolved, a final notice will
   * come. Throws `busy` when the container has an operation already. No notice leaves before `answered`.
   */
  async begin<R extends DescMessage, M extends ListenerMethod>(
    kind: OperationKind<R, M>,
    container: string,
    request: MessageShape<R>,
    answered: Promise<void> = Promise.resolve(),
  ): Promise<Operation> {
    const id = randomBytes(4).toString("hex");
    const operation = { id, kind: kind.name, container, startedAt: this.#clock.now() };
    const entry = { ...operation, request: toJson(kind.request, request), steps: {} };
    const lock = this.locks.take(operation);
    try {
      await this.#journal.write(entry);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
    const work = { kind: kind as unknown as OperationKind, request, entry, lock, answered };
    void this.#finish(work, (context) => this.#run(work, context));
    return operation;
  }

  /** Asks the operation of that kind on that container to end. False when there is none. */
  cancel(kind: string, container: string, cause: TremplinError): boolean {
    const matches = ({ operation }: Running) => operation.kind === kind && operation.container === container;
    const running = [...this.#running].find(matches);
    running?.controller.abort(cause);
    return running !== undefined;
  }

  /**
   * Puts right what an earlier daemon began and did not end. Their containers are taken before this returns its
   * promise, so nothing new can come in between.
   */
  async recover(entries: readonly JournalEntry[]): Promise<void> {
    const under = new Set([...this.#running].map(({ operation }) => operation.id));
    const left = entries.filter((entry) => !entry.final && !under.has(entry.id));
    await Promise.all(left.map((entry) => this.#recover(entry)));
  }

  /** Ends everything under way without a final notice; the next daemon recovers it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { controller } of this.#running) controller.abort(daemonEnds);
    await Promise.all([...this.#running].map(({ done }) => done));
  }

  async #recover(entry: JournalEntry): Promise<void> {
    const kind = this.#kinds.get(entry.kind);
    if (!kind) {
      this.#log.error(
        { entry },
        "the journal has work of a kind that this version does not know; it is left",
      );
      return;
    }
    this.#log.info({ operation: entry.id, kind: entry.kind, container: entry.container }, "recovering");
    const request = fromJson(kind.request, entry.request as never);
    const lock = this.locks.take(entry);
    const work = { kind, request, entry, lock, answered: Promise.resolve() };
    await this.#finish(work, (context) => kind.recover(request, context));
  }

  /** Does the work and tells its end, in this order: on disk, on its way, container free. Never throws. */
  #finish(
    work: Work,
    act: (context: OperationContext) => Promise<NoticeInit<ListenerMethod>>,
  ): Promise<void> {
    const { kind, entry, lock, answered } = work;
    const controller = new AbortController();
    const context = this.#context(entry, controller.signal);
    const finish = async (): Promise<void> => {
      const final = await act(context).catch((thrown) => ending(work, context, thrown));
      if (final)
        await this.#finals.end({ ...entry, steps: context.steps }, notice(kind.notify, final), answered);
      this.#running.delete(running);
      lock[Symbol.dispose]();
    };
    const running: Running = { operation: entry, controller, done: Promise.resolve().then(finish) };
    this.#running.add(running);
    return running.done;
  }

  /** Runs the generator of the kind, sending each message in progress. */
  async #run(
    { kind, request, entry, answered }: Work,
    context: OperationContext,
  ): Promise<NoticeInit<ListenerMethod>> {
    const progress = kind.run(request, context);
    for (let count = 1; ; count++) {
      const { done, value } = await progress.next();
      if (done) return value;
      this.#outbox.send({
        id: `${entry.id}-${count}`,
        lane: entry.container,
        notice: notice(kind.notify, value),
        final: false,
        after: answered,
        ...(kind.absorb && {
          absorbedBy: (newer, own) =>
            notice(kind.notify, kind.absorb?.(own.message, newer.message) ?? newer.message),
        }),
      });
    }
  }

  #context(entry: JournalEntry, signal: AbortSignal): OperationContext {
    const { id, kind, container } = entry;
    let { steps } = entry;
    return {
      id,
      signal,
      log: this.#log.child({ operation: id, kind, container }),
      get steps() {
        return steps;
      },
      step: async (name, value = "done") => {
        steps = { ...steps, [name]: value };
        await this.#journal.write({ ...entry, steps });
      },
    };
  }
}

/** The final message for something thrown; none when the daemon ends, for the next one to recover. */
function ending(
  work: Work,
  context: OperationContext,
  thrown: unknown,
): NoticeInit<ListenerMethod> | undefined {
  const { signal, log } = context;
  if (signal.reason === daemonEnds || thrown === daemonEnds) return undefined;
  log.warn({ error: thrown }, signal.aborted ? "the operation was cancelled" : "the operation failed");
  return signal.aborted
    ? work.kind.cancelled(work.request, TremplinError.from(signal.reason))
    : work.kind.failed(work.request, TremplinError.from(thrown));
}
