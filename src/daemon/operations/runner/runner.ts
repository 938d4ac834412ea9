import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";
import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import type { JournalEntry, Operation } from "../../notices/journal.ts";
import type { ListenerMethod } from "../../notices/notice.ts";
import { newOperationId } from "../../notices/operation-id.ts";
import { type Lock, Locks } from "./locks.ts";
import type { OperationKind, Outcome } from "./operation.ts";
import { OperationRun, type RunnerDeps } from "./operation-run.ts";
import type { StepSchemas } from "./steps.ts";

/** The abort reason that ends an operation without a final notice: the next daemon recovers it. */
const shuttingDown = new TremplinError("cancelled", "the daemon ends");

/**
 * Runs operations of all kinds: at most one at a time on a container, in the journal, cancellable, and each ending in
 * exactly one final notice, whatever happens to this process.
 */
export class Runner implements AsyncDisposable {
  readonly locks = new Locks();
  readonly #kinds = new Map<string, OperationKind>();
  readonly #running = new Set<OperationRun>();
  readonly #shutdown = new AbortController();
  readonly #deps: RunnerDeps;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  /** Registers a kind. Only operations of registered kinds can be recovered. */
  add<R extends DescMessage, M extends ListenerMethod, S extends StepSchemas>(
    kind: OperationKind<R, M, S>,
  ): OperationKind<R, M, S> {
    this.#kinds.set(kind.name, kind as unknown as OperationKind);
    return kind;
  }

  /**
   * Accepts an operation on a container (empty: on the engine itself). When this has resolved, a final notice will
   * follow. Throws `busy` when another operation has the lock. No notice leaves before `answered`.
   */
  async begin<R extends DescMessage, M extends ListenerMethod, S extends StepSchemas>(
    kind: OperationKind<R, M, S>,
    container: string,
    request: MessageShape<R>,
    answered: Promise<void> = Promise.resolve(),
  ): Promise<Operation> {
    this.#shutdown.signal.throwIfAborted();
    const operation = {
      id: newOperationId(),
      kind: kind.name,
      container,
      startedAt: this.#deps.clock.now(),
    };
    const entry = { ...operation, request: toJson(kind.request, request), steps: {} };
    const lock = this.locks.take(operation);
    try {
      const run = this.#newRun(kind as unknown as OperationKind, entry, lock, answered);
      await this.#deps.journal.begin(entry);
      // A shutdown began meanwhile: the next daemon recovers the entry.
      if (this.#shutdown.signal.aborted) lock[Symbol.dispose]();
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

  /** Takes the lock of a container for short work that is not in the journal. Throws `busy`. */
  hold(kind: string, container: string): Disposable {
    return this.locks.take({ id: newOperationId(), kind, container, startedAt: this.#deps.clock.now() });
  }

  /** Cancels the operation of that kind on that container. False when there is none. */
  cancel(kind: string, container: string, cause: TremplinError): boolean {
    const running = this.#find(kind, container);
    running?.cancel(cause);
    return running !== undefined;
  }

  /**
   * Resolves when the operation of that kind on that container has ended; undefined when there is none, or when the
   * daemon shuts down first.
   */
  async outcome(kind: string, container: string): Promise<Outcome | undefined> {
    return await this.#find(kind, container)?.outcome;
  }

  /**
   * Recovers operations that were interrupted, and repeats the clean-ups that failed in this daemon. Takes the locks
   * before it returns its promise, so no new operation can come first. Sets an entry aside that this version does not
   * understand. Never rejects.
   */
  async recover(entries: readonly JournalEntry[]): Promise<void> {
    const known = new Set([...this.#running].map(({ entry }) => entry.id));
    const unfinished = entries.filter((entry) => (!entry.final || entry.owed) && !known.has(entry.id));
    const containers = new Set(unfinished.map(({ container }) => container));
    await Promise.all([
      ...[...this.#running].filter((run) => run.isBlocked).map((run) => run.cleanUpAgain()),
      ...[...containers].map((container) =>
        this.#recoverAll(unfinished.filter((entry) => entry.container === container)),
      ),
    ]);
  }

  /** Stops all operations without a final notice; the next daemon recovers them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort(shuttingDown);
    for (const run of this.#running) run.cancel(shuttingDown);
    await Promise.all([...this.#running].map((run) => run.stopped()));
  }

  /** Recovers the operations of one container, the oldest first, each under its own lock. */
  async #recoverAll(entries: readonly JournalEntry[]): Promise<void> {
    let previous: OperationRun | undefined;
    for (const entry of entries) {
      const run = this.#resume(entry);
      if (!run) continue;
      // The later ones are recovered after the blocked one, before the next engine or by the next daemon.
      if (previous?.isBlocked) return;
      previous = run;
      await run.recover();
    }
  }

  #resume(entry: JournalEntry): OperationRun | undefined {
    const { log, journal } = this.#deps;
    const { id, kind: name, container } = entry;
    const kind = this.#kinds.get(name);
    if (!kind) {
      // A newer version wrote it, and may come back.
      log.error({ operation: id, kind: name }, "this version knows no such operation; its entry stays");
      return undefined;
    }
    if (this.locks.holder(container)) {
      log.warn(
        { operation: id, container },
        "another operation has the container: recovering this one later",
      );
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
      log.error({ error, operation: id }, "the operation cannot be recovered");
      void journal.setAside(id, errorMessage(error));
      return undefined;
    }
  }

  /** Throws for a request or a step that this version does not understand. */
  #newRun(kind: OperationKind, entry: JournalEntry, lock: Lock, answered = Promise.resolve()): OperationRun {
    const tracked: Lock = {
      setObstacle: lock.setObstacle,
      [Symbol.dispose]: () => {
        this.#running.delete(run);
        lock[Symbol.dispose]();
      },
    };
    const run = new OperationRun(kind, entry, this.#deps, {
      shutdownSignal: this.#shutdown.signal,
      lock: tracked,
      answered,
    });
    return run;
  }

  #find(kind: string, container: string): OperationRun | undefined {
    return [...this.#running].find(
      ({ entry, isBlocked }) => entry.kind === kind && entry.container === container && !isBlocked,
    );
  }
}
