import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { FinalNotices } from "../../notices/final-notices.ts";
import type { Journal, JournalEntry, Operation } from "../../notices/journal.ts";
import type { ListenerMethod, NoticeInit } from "../../notices/notice.ts";
import type { NoticeQueue } from "../../notices/notice-queue.ts";
import { newOperationId } from "../../notices/operation-id.ts";
import { type Lock, Locks } from "./locks.ts";
import type { OperationKind } from "./operation.ts";
import { OperationRun, type RunDeps } from "./operation-run.ts";

export interface RunnerOptions {
  readonly journal: Journal;
  readonly outbox: NoticeQueue;
  readonly finals: FinalNotices;
  readonly engineAnswers: RunDeps["engineAnswers"];
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
  readonly #running = new Set<OperationRun>();
  readonly #ending = new AbortController();
  readonly #options: RunnerOptions;
  readonly #tools: RunDeps;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#tools = { ...options, ending: this.#ending.signal };
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
    this.#ending.signal.throwIfAborted();
    const operation = {
      id: newOperationId(),
      kind: kind.name,
      container,
      startedAt: this.#options.clock.now(),
    };
    const entry = { ...operation, request: toJson(kind.request, request), steps: {} };
    const lock = this.locks.take(operation);
    try {
      const run = this.#newRun(kind as unknown as OperationKind, entry, lock, answered);
      await this.#options.journal.begin(entry);
      // Accepted at the very end: what is in the journal the next daemon recovers.
      if (this.#ending.signal.aborted) lock[Symbol.dispose]();
      else {
        this.#running.add(run);
        void run.run();
      }
      return operation;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Takes a container for something short that is no operation of the journal. Throws `busy`. */
  hold(kind: string, container: string): Disposable {
    return this.locks.take({ id: newOperationId(), kind, container, startedAt: this.#options.clock.now() });
  }

  /** Asks the operation of that kind on that container to end. False when there is none. */
  cancel(kind: string, container: string, cause: TremplinError): boolean {
    const running = this.#find(kind, container);
    running?.cancel(cause);
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
   * Cleans up what was begun and did not end, also what this daemon itself could not clean up yet. The containers
   * are taken before this returns its promise, so nothing new can come in between. An entry that this version
   * cannot work with is set aside and holds up nobody. Never rejects.
   */
  async recover(entries: readonly JournalEntry[]): Promise<void> {
    const known = new Set([...this.#running].map(({ entry }) => entry.id));
    const left = entries.filter((entry) => (!entry.final || entry.owed) && !known.has(entry.id));
    const containers = new Set(left.map(({ container }) => container));
    await Promise.all([
      ...[...this.#running].filter((run) => run.isBlocked).map((run) => run.cleanUpAgain()),
      ...[...containers].map((container) =>
        this.#recoverAll(left.filter((entry) => entry.container === container)),
      ),
    ]);
  }

  /** Ends everything under way without a final notice; the next daemon recovers it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(daemonEnds);
    for (const run of this.#running) run.cancel(daemonEnds);
    await Promise.all([...this.#running].map((run) => run.settled()));
  }

  /** What is left of one container, oldest first, under one lock after the other. */
  async #recoverAll(entries: readonly JournalEntry[]): Promise<void> {
    let before: OperationRun | undefined;
    for (const entry of entries) {
      const run = this.#runOf(entry);
      if (!run) continue;
      // Still blocked: what came later is recovered after it, by the next launch or the next daemon.
      if (before?.isBlocked) return;
      before = run;
      await run.recover();
    }
  }

  #runOf(entry: JournalEntry): OperationRun | undefined {
    const { log, journal } = this.#options;
    const { id, kind: name, container } = entry;
    const kind = this.#kinds.get(name);
    if (!kind) {
      // A newer version wrote it, and may come back.
      log.error({ operation: id, kind: name }, "this version knows no such operation; its entry is left");
      return undefined;
    }
    if (this.locks.holder(container)) {
      log.warn({ operation: id, container }, "another operation has the container: recovered later");
      return undefined;
    }
    const lock = this.locks.take(entry);
    try {
      const run = this.#newRun(kind, entry, lock);
      log.info({ operation: id, kind: name, container }, "recovering");
      this.#running.add(run);
      return run;
    } catch (error) {
      lock[Symbol.dispose]();
      log.error({ error, operation: id }, "its request cannot be read");
      void journal.setAside(id, `its request is none that this version understands`);
      return undefined;
    }
  }

  #newRun(kind: OperationKind, entry: JournalEntry, lock: Lock, answered = Promise.resolve()): OperationRun {
    const release = (): void => {
      this.#running.delete(run);
      lock[Symbol.dispose]();
    };
    const run = new OperationRun(kind, entry, this.#tools, { explain: lock.explain, release, answered });
    return run;
  }

  #find(kind: string, container: string): OperationRun | undefined {
    return [...this.#running].find(
      ({ entry, isBlocked }) => entry.kind === kind && entry.container === container && !isBlocked,
    );
  }
}
