import { fromJson, type Message } from "@bufbuild/protobuf";
import type { Clock } from "../../../base/async/clock.ts";
import { asOperation } from "../../../base/current-operation.ts";
import type { Logger } from "../../../base/logger.ts";
import { follow, type OperationWork, observed } from "../../../base/observed.ts";
import { isUnavailable, TremplinError } from "../../../base/tremplin-error.ts";
import type { FinalNotices } from "../../notices/final-notices.ts";
import type { Journal, JournalEntry } from "../../notices/journal.ts";
import { notice } from "../../notices/notice.ts";
import type { NoticeQueue } from "../../notices/notice-queue.ts";
import { CleanUp, type FinalMessage } from "./clean-up.ts";
import type { Lock } from "./locks.ts";
import type { FailureCode, OperationContext, OperationKind, Outcome } from "./operation.ts";
import { OperationEnd } from "./operation-end.ts";
import { Progress } from "./progress.ts";
import { OperationSteps } from "./steps.ts";

/** What all operations share. */
export interface RunnerDeps {
  readonly journal: Journal;
  readonly queue: NoticeQueue;
  readonly finals: FinalNotices;
  /** Waits until the engine answers (again); false when it will not. */
  readonly engineAnswers: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface RunOptions {
  /** Aborts when the daemon shuts down. */
  readonly shutdownSignal: AbortSignal;
  /** Released when the operation ends, unless its clean-up failed. */
  readonly lock: Lock;
  /** No notice leaves before this resolves. */
  readonly answered: Promise<void>;
}

/**
 * One operation, new or from the journal of an earlier daemon. Does the work or the clean-up, writes the final notice to
 * disk, sends it, and releases the lock, in this order.
 */
export class OperationRun {
  readonly entry: JournalEntry;
  /** Resolves when the lock is released or the clean-up has failed; undefined when the next daemon recovers it. */
  readonly outcome: Promise<Outcome | undefined>;
  readonly #kind: OperationKind;
  readonly #request: Message;
  readonly #deps: RunnerDeps;
  readonly #options: RunOptions;
  readonly #log: Logger;
  readonly #cancellation = new AbortController();
  readonly #progress: Progress;
  readonly #steps: OperationSteps;
  readonly #end: OperationEnd;
  readonly #outcome = Promise.withResolvers<Outcome | undefined>();
  readonly #cleanUp: CleanUp;
  #failureCode: FailureCode | undefined;
  #ended: OperationWork["outcome"];
  /** The name that its container has by now, where that is another one. */
  #container: string | undefined;
  #cleanUpRetry: Promise<boolean> | undefined;
  #cleanUpRetries: Promise<void> = Promise.resolve();

  /** Throws for a request or a step that this version does not understand. */
  constructor(kind: OperationKind, entry: JournalEntry, deps: RunnerDeps, options: RunOptions) {
    this.entry = entry;
    this.outcome = this.#outcome.promise;
    this.#kind = kind;
    this.#request = readRequest(kind, entry);
    this.#deps = deps;
    this.#options = options;
    this.#steps = new OperationSteps(kind.steps, entry, deps.journal);
    this.#progress = new Progress({ ...deps, kind, entry, answered: options.answered });
    this.#end = new OperationEnd(entry, deps.finals, options.lock.setObstacle);
    this.#log = deps.log.child({ kind: entry.kind, container: entry.container });
    this.#cleanUp = new CleanUp({
      ...deps,
      kind,
      request: this.#request,
      context: this.#context(options.shutdownSignal),
      hasContainer: entry.container !== "",
      lock: options.lock,
      log: this.#log,
    });
  }

  /** Whether it has ended but keeps the lock, because its clean-up failed. */
  get isBlocked(): boolean {
    return this.#cleanUp.isBlocked;
  }

  cancel(cause: TremplinError): void {
    this.#cancellation.abort(cause);
  }

  /** Resolves when nothing of it runs any more, soon after the shutdown has begun. */
  async stopped(): Promise<void> {
    await this.outcome;
    await this.#cleanUpRetry;
    await this.#cleanUpRetries;
  }

  /** Does the work. Never rejects. */
  run(): Promise<void> {
    const { shutdownSignal } = this.#options;
    return this.#finish(() =>
      this.#work().catch((error) =>
        this.#progress.repeatDuring(() => this.#cleanUpAfter(error), shutdownSignal),
      ),
    );
  }

  /** Cleans up after an earlier daemon. Never rejects. */
  recover(): Promise<void> {
    this.#ended = "interrupted";
    return this.#finish(() => this.#cleanUp.run("daemon", this.#interrupted("the daemon died")));
  }

  /** Repeats a clean-up that failed. True when the lock is released. Never rejects. */
  async cleanUpAgain(): Promise<boolean> {
    this.#cleanUpRetry ??= asOperation(this.entry.id, () => this.#retryCleanUp()).finally(() => {
      this.#cleanUpRetry = undefined;
    });
    return await this.#cleanUpRetry;
  }

  #finish(act: () => Promise<FinalMessage | undefined>): Promise<void> {
    const { id, kind, container } = this.entry;
    return asOperation(id, () =>
      follow(observed.operation, { id, kind, container }, async (about: OperationWork) => {
        const hasEnded = await this.#reachOutcome(act);
        if (hasEnded) about.outcome = this.#ended;
      }),
    );
  }

  /** False when it is left to the next daemon. */
  async #reachOutcome(act: () => Promise<FinalMessage | undefined>): Promise<boolean> {
    const { shutdownSignal, lock } = this.#options;
    let message: FinalMessage | undefined;
    try {
      message = await act();
      if (message) await this.#reachEnd(message);
    } catch (error) {
      // Only a shutdown leads here: the next daemon reads the journal.
      if (!shutdownSignal.aborted) this.#log.error({ error }, "the operation is left to the next daemon");
      message = undefined;
    }
    if (!this.isBlocked || shutdownSignal.aborted) lock[Symbol.dispose]();
    else this.#cleanUpRetries = this.#cleanUp.retryUntilDone(() => this.cleanUpAgain());
    this.#outcome.resolve(message && { message, failureCode: this.#failureCode });
    if (message) this.#log.info({ result: this.#ended }, "the operation has ended");
    return message !== undefined;
  }

  #reachEnd(message: FinalMessage): Promise<void> {
    const { answered, shutdownSignal: signal } = this.#options;
    return this.#end.reach({
      final: notice(this.#kind.notify, message),
      owed: this.#cleanUp.debt,
      container: this.#container,
      notBefore: answered,
      signal,
    });
  }

  /** Runs the generator of the kind and sends each message in progress. */
  async #work(): Promise<FinalMessage> {
    this.#log.info("the operation begins");
    const messages = this.#kind.run(this.#request, this.#context(this.#cancellation.signal));
    for (;;) {
      const { done, value } = await messages.next();
      if (done) {
        this.#ended = "done";
        return value;
      }
      this.#progress.send(value);
    }
  }

  /** The final message of work that threw. Rejects only when the daemon shuts down. */
  async #cleanUpAfter(thrown: unknown): Promise<FinalMessage | undefined> {
    const { shutdownSignal } = this.#options;
    shutdownSignal.throwIfAborted();
    const isCancelled = this.#cancellation.signal.aborted;
    this.#ended = isCancelled ? "cancelled" : "failed";
    this.#log.warn({ error: thrown }, isCancelled ? "the operation was cancelled" : "the operation failed");
    const failure = this.#failure(thrown);
    // Work on the engine itself leaves nothing in a container.
    if (this.entry.container === "") return failure;
    if (!isUnavailable(thrown)) return await this.#cleanUp.run(isCancelled ? "cancel" : "failure", failure);
    if (!(await this.#deps.engineAnswers(shutdownSignal))) return await this.#cleanUp.block(failure, thrown);
    this.#log.warn("the engine went away: cleaning up");
    return await this.#cleanUp.run("engine", isCancelled ? failure : this.#interrupted("the engine died"));
  }

  async #retryCleanUp(): Promise<boolean> {
    if (!this.isBlocked) return true;
    // An operation has one end: the notice that is being written comes first.
    if (!(await this.#end.isFree())) return false;
    const isDone = await this.#cleanUp.retry((message) =>
      this.#reachEnd(message ?? this.#interrupted("the daemon died")),
    );
    if (!isDone) return false;
    this.#options.lock[Symbol.dispose]();
    this.#log.info("the clean-up is done, and the container is free");
    return true;
  }

  #failure(thrown: unknown): FinalMessage {
    const { signal } = this.#cancellation;
    const { last } = this.#progress;
    return signal.aborted
      ? this.#kind.cancelled(this.#request, TremplinError.from(signal.reason), last)
      : this.#kind.failed(this.#request, TremplinError.from(thrown), last);
  }

  #interrupted(cause: string): FinalMessage {
    const sentence = this.#kind.interrupted(this.#request, cause);
    return this.#kind.failed(this.#request, new TremplinError("failed", sentence), this.#progress.last);
  }

  #context(signal: AbortSignal): OperationContext {
    const steps = this.#steps;
    return {
      id: this.entry.id,
      startedAt: this.entry.startedAt,
      signal,
      shutdownSignal: this.#options.shutdownSignal,
      log: this.#log,
      get steps() {
        return steps.values;
      },
      step: (name: string, value?: unknown) => steps.add(name, value),
      owe: (debt, container) => {
        this.#cleanUp.owe(debt);
        this.#container = container;
      },
      setFailureCode: (code) => {
        this.#failureCode = code;
      },
      progressAcknowledged: () => this.#progress.acknowledged(),
    };
  }
}

function readRequest(kind: OperationKind, { request }: JournalEntry): Message {
  try {
    return fromJson(kind.request, request as never, { ignoreUnknownFields: true });
  } catch (error) {
    throw new TremplinError("invalid", "this version does not understand its request", error);
  }
}
