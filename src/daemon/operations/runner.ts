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
import { newOperationId } from "./operation-id.ts";

/** An accepted piece of work: what to do, for whom, and what the journal has of it. */
interface Work {
  readonly kind: OperationKind;
  readonly request: Message;
  readonly entry: JournalEntry;
  readonly lock: Disposable;
  readonly answered: Promise<void>;
  /** What was told last of its progress. */
  last?: NoticeInit<ListenerMethod>;
}

interface Running {
  readonly operation: Operation;
  readonly controller: AbortController;
  /** Resolves with the final message, once the container is free; undefined when the next daemon recovers it. */
  readonly done: Promise<NoticeInit<ListenerMethod> | undefined>;
}

/** What a context offers, and how the runner says that the host has heard. */
interface Telling {
  readonly context: OperationContext;
  /** Progress is sent: answers what to call once the host has it. */
  sent(): () => Promise<void>;
}

export interface RunnerOptions {
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly finals: FinalNotices;
  /** Waits until the engine answers (again); false when it will not. */
  readonly engineAnswers: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The abort reason that ends an operation without a final notice: the next daemon recovers it. */
const daemonEnds = new TremplinError("cancelled", "the daemon ends");

/**
 * Runs operations of all kinds: one at a time per container, journalled, cancellable, and each ending in
 * exactly one final notice, whatever happens to this process.
 */
export class Runner implements AsyncDisposable {
  readonly locks = new Locks();
  readonly #kinds = new Map<string, OperationKind>();
  readonly #running = new Set<Running>();
  readonly #ending = new AbortController();
  readonly #journal: Journal;
  readonly #outbox: Outbox;
  readonly #finals: FinalNotices;
  readonly #engineAnswers: RunnerOptions["engineAnswers"];
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: RunnerOptions) {
    this.#journal = options.journal;
    this.#outbox = options.outbox;
    this.#finals = options.finals;
    this.#engineAnswers = options.engineAnswers;
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
    const id = newOperationId();
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
    void this.#finish(work, (telling) => this.#run(work, telling));
    return operation;
  }

  /** Asks the operation of that kind on that container to end. False when there is none. */
  cancel(kind: string, container: string, cause: TremplinError): boolean {
    const running = this.#find(kind, container);
    running?.controller.abort(cause);
    return running !== undefined;
  }

  /**
   * The final message of the operation of that kind that is under way on that container, once it has ended;
   * undefined when there is none, or when the daemon ends first.
   */
  async outcome(kind: string, container: string): Promise<NoticeInit<ListenerMethod> | undefined> {
    return await this.#find(kind, container)?.done;
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
    this.#ending.abort(daemonEnds);
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
    await this.#finish(work, ({ context }) => kind.recover(request, context));
  }

  #find(kind: string, container: string): Running | undefined {
    return [...this.#running].find(
      ({ operation }) => operation.kind === kind && operation.container === container,
    );
  }

  /** Does the work and tells its end, in this order: on disk, on its way, container free. Never throws. */
  #finish(work: Work, act: (telling: Telling) => Promise<NoticeInit<ListenerMethod>>): Promise<unknown> {
    const { kind, entry, lock, answered } = work;
    const controller = new AbortController();
    const telling = this.#telling(entry, controller.signal);
    const { context } = telling;
    const finish = async () => {
      const final = await act(telling).catch((thrown) => this.#settle(work, context, thrown));
      if (final)
        await this.#finals.end({ ...entry, steps: context.steps }, notice(kind.notify, final), answered);
      this.#running.delete(running);
      lock[Symbol.dispose]();
      return final;
    };
    const running: Running = { operation: entry, controller, done: Promise.resolve().then(finish) };
    this.#running.add(running);
    return running.done;
  }

  /**
   * The final message for something thrown. An engine that died in the middle is for an operation what its own
   * death is: when the engine is back, what is there decides.
   */
  async #settle(
    work: Work,
    context: OperationContext,
    thrown: unknown,
  ): Promise<NoticeInit<ListenerMethod> | undefined> {
    const { kind, request, entry } = work;
    const { signal } = this.#ending;
    const lostEngine = entry.container !== "" && TremplinError.from(thrown).code === "unavailable";
    if (!lostEngine || !(await this.#engineAnswers(signal))) return ending(work, context, thrown);
    context.log.warn({ error: thrown }, "the engine went away: recovering");
    try {
      return await kind.recover(request, this.#telling({ ...entry, steps: context.steps }, signal).context);
    } catch (error) {
      context.log.info({ error }, "recovered");
      return ending(work, context, thrown);
    }
  }

  /** Runs the generator of the kind, sending each message in progress. */
  async #run(work: Work, { context, sent }: Telling): Promise<NoticeInit<ListenerMethod>> {
    const { kind, request, entry, answered } = work;
    const progress = kind.run(request, context);
    for (let count = 1; ; count++) {
      const { done, value } = await progress.next();
      if (done) return value;
      work.last = value;
      this.#outbox.send({
        id: `${entry.id}-${count}`,
        lane: entry.container,
        notice: notice(kind.notify, value),
        operation: entry.id,
        final: false,
        after: answered,
        settled: sent(),
        ...(kind.absorb && {
          absorbedBy: (newer, own) =>
            notice(kind.notify, kind.absorb?.(own.message, newer.message) ?? newer.message),
        }),
      });
    }
  }

  #telling(entry: JournalEntry, signal: AbortSignal): Telling {
    const { id, kind, container } = entry;
    let { steps } = entry;
    let heard = Promise.resolve();
    const context = {
      id,
      signal,
      ending: this.#ending.signal,
      log: this.#log.child({ operation: id, kind, container }),
      get steps() {
        return steps;
      },
      step: async (name: string, value = "done") => {
        steps = { ...steps, [name]: value };
        await this.#journal.write({ ...entry, steps });
      },
      heard: () => heard,
    };
    const sent = () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      heard = promise;
      return async () => resolve();
    };
    return { context, sent };
  }
}

/** The final message for something thrown; none when the daemon ends, for the next one to recover. */
function ending(
  work: Work,
  context: OperationContext,
  thrown: unknown,
): NoticeInit<ListenerMethod> | undefined {
  const { signal, ending, log } = context;
  if (ending.aborted) return undefined;
  log.warn({ error: thrown }, signal.aborted ? "the operation was cancelled" : "the operation failed");
  const { kind, request, last } = work;
  return signal.aborted
    ? kind.cancelled(request, TremplinError.from(signal.reason), last)
    : kind.failed(request, TremplinError.from(thrown), last);
}
