import { fromJson, type Message } from "@bufbuild/protobuf";
import { backoff } from "../../../base/async/backoff.ts";
import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import type { FinalNotices } from "../../notices/final-notices.ts";
import type { Journal, JournalEntry, Steps } from "../../notices/journal.ts";
import { type ListenerMethod, type NoticeInit, notice } from "../../notices/notice.ts";
import type { NoticeQueue } from "../../notices/notice-queue.ts";
import type { Interruption, OperationContext, OperationKind } from "./operation.ts";
import { OperationEnd } from "./operation-end.ts";

/** What operations run with; the same for all. */
export interface RunDeps {
  readonly journal: Journal;
  readonly outbox: NoticeQueue;
  readonly finals: FinalNotices;
  /** Waits until the engine answers (again); false when it will not. */
  readonly engineAnswers: (signal: AbortSignal) => Promise<boolean>;
  /** Aborts when the daemon ends. */
  readonly ending: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What one run has of the world besides. */
export interface RunOptions {
  /** Says what keeps the operation from ending. */
  readonly explain: (obstacle: string) => void;
  /** Gives the container free. */
  readonly release: () => void;
  /** No notice leaves before this settles. */
  readonly answered: Promise<void>;
}

type Final = NoticeInit<ListenerMethod>;

/** An engine that dies again and again under one clean-up is given up for now after so many times. */
const ENGINE_DEATHS = 5;
const FIRST_RETRY = 250;
const LAST_RETRY = 5_000;
const HEARTBEAT = 30_000;
/** A clean-up that failed for another reason is tried again after so long: at first, and at most. Milliseconds. */
const CLEAN_UP_AGAIN = [5_000, 300_000] as const;

/**
 * One operation from its acceptance, or from what an earlier daemon left of it, to its end: the work or the
 * clean-up, the final notice on disk, the notice on its way, the container free, in this order.
 */
export class OperationRun {
  readonly entry: JournalEntry;
  /** Resolves with the final message, once the container is free or cannot be freed yet; undefined when the next daemon recovers it. */
  readonly done: Promise<Final | undefined>;
  readonly #kind: OperationKind;
  readonly #request: Message;
  readonly #options: RunOptions;
  readonly #tools: RunDeps;
  readonly #log: Logger;
  readonly #controller = new AbortController();
  readonly #end: OperationEnd;
  readonly #done = Promise.withResolvers<Final | undefined>();
  #steps: Steps;
  #owed: string | undefined;
  #last: Final | undefined;
  #heard = Promise.resolve();
  #progressCount = 0;
  #cleaningUp: Promise<boolean> | undefined;
  #retrying: Promise<void> = Promise.resolve();
  /** Whether what is left half done keeps everybody else from the container. */
  #isBlocked = false;

  /** Throws for a request that the kind cannot read. */
  constructor(kind: OperationKind, entry: JournalEntry, tools: RunDeps, options: RunOptions) {
    const { id, container } = entry;
    this.entry = entry;
    this.done = this.#done.promise;
    this.#kind = kind;
    this.#request = fromJson(kind.request, entry.request as never, { ignoreUnknownFields: true });
    this.#options = options;
    this.#tools = tools;
    this.#steps = entry.steps;
    this.#end = new OperationEnd(entry, tools.finals, options.explain);
    this.#log = tools.log.child({ operation: id, kind: entry.kind, container });
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  cancel(cause: TremplinError): void {
    this.#controller.abort(cause);
  }

  /** Resolves when nothing is under way here any more; comes soon after the daemon's end has begun. */
  async settled(): Promise<void> {
    await this.done;
    await this.#cleaningUp;
    await this.#retrying;
  }

  /** Does the work. Never rejects. */
  run(): Promise<void> {
    return this.#toTheEnd(() =>
      this.#work().catch((thrown) => this.#repeating(() => this.#cleanUpAfter(thrown))),
    );
  }

  /** Cleans up what an earlier daemon left. Never rejects. */
  recover(): Promise<void> {
    return this.#toTheEnd(() => this.#cleanUp("daemon", this.#interrupted("the daemon died")));
  }

  /** Tries again to clean up what keeps the container locked. True when it is free. Never rejects. */
  async cleanUpAgain(): Promise<boolean> {
    this.#cleaningUp ??= this.#tryCleanUpAgain().finally(() => {
      this.#cleaningUp = undefined;
    });
    return await this.#cleaningUp;
  }

  async #toTheEnd(act: () => Promise<Final | undefined>): Promise<void> {
    const { ending } = this.#tools;
    let final: Final | undefined;
    try {
      final = await act();
      if (final) await this.#reachEnd(final);
    } catch (error) {
      // Only the daemon's end leads here: the next one reads the journal.
      if (!ending.aborted) this.#log.error({ error }, "the operation is left to the next daemon");
      final = undefined;
    }
    if (!this.#isBlocked || ending.aborted) this.#options.release();
    else this.#retrying = this.#keepCleaningUp();
    this.#done.resolve(final);
  }

  #reachEnd(final: Final): Promise<void> {
    return this.#end.reach({
      final: notice(this.#kind.notify, final),
      owed: this.#owed,
      notBefore: this.#options.answered,
      signal: this.#tools.ending,
    });
  }

  /** Runs the generator of the kind, sending each message in progress. */
  async #work(): Promise<Final> {
    const progress = this.#kind.run(this.#request, this.#context(this.#controller.signal));
    for (;;) {
      const { done, value } = await progress.next();
      if (done) return value;
      this.#last = value;
      this.#send(value);
    }
  }

  #send(value: Final): void {
    const kind = this.#kind;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#heard = promise;
    this.#tools.outbox.send({
      id: `${this.entry.id}-${++this.#progressCount}`,
      orderingKey: this.entry.container,
      notice: notice(kind.notify, value),
      operation: this.entry.id,
      final: false,
      notBefore: this.#options.answered,
      onAnswered: async () => resolve(),
      ...(kind.coalesce && {
        coalesceInto: (newer, own) =>
          notice(kind.notify, kind.coalesce?.(own.message, newer.message) ?? newer.message),
      }),
    });
  }

  /** Hosts give up on what they hear nothing of: the last progress is repeated for as long as it takes. */
  async #repeating<T>(act: () => Promise<T>): Promise<T> {
    const { clock, ending } = this.#tools;
    const over = new AbortController();
    const repeat = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(HEARTBEAT, AbortSignal.any([ending, over.signal]));
        if (this.#last) this.#send(this.#last);
      }
    };
    repeat().catch(() => undefined);
    try {
      return await act();
    } finally {
      over.abort();
    }
  }

  /** What became of work that threw: cleaned up, or found to be whole. Rejects only when the daemon ends. */
  async #cleanUpAfter(thrown: unknown): Promise<Final | undefined> {
    const { ending, engineAnswers } = this.#tools;
    ending.throwIfAborted();
    const { signal } = this.#controller;
    const isLost = isEngineLost(thrown);
    this.#log.warn(
      { error: thrown },
      signal.aborted ? "the operation was cancelled" : "the operation failed",
    );
    const failure = this.#failure(thrown);
    // Work on the engine itself leaves nothing in a container.
    if (this.entry.container === "") return failure;
    if (isLost && !(await engineAnswers(ending))) return await this.#block(failure, thrown);
    if (!isLost) return await this.#cleanUp(signal.aborted ? "cancel" : "failure", failure);
    this.#log.warn("the engine went away: cleaning up");
    return await this.#cleanUp("engine", signal.aborted ? failure : this.#interrupted("the engine died"));
  }

  /** Answers `failure` when all is as it was before. */
  async #cleanUp(interruption: Interruption, failure: Final): Promise<Final | undefined> {
    const { ending, engineAnswers, clock } = this.#tools;
    let deaths = 0;
    for (const wait of backoff(FIRST_RETRY, LAST_RETRY)) {
      try {
        this.#owed = undefined;
        const found = await this.#kind.recover(this.#request, this.#context(ending), interruption);
        this.#isBlocked = false;
        return found ?? failure;
      } catch (error) {
        ending.throwIfAborted();
        // What nobody can touch meanwhile needs no lock: a launch that fails has failed.
        if (this.entry.container === "") return this.#kind.failed(this.#request, TremplinError.from(error));
        const again = isEngineLost(error) && ++deaths < ENGINE_DEATHS && (await engineAnswers(ending));
        if (!again) {
          const blocked = await this.#block(failure, error);
          // Nobody waits for what was recovered: it is said once an engine lets us see how it ended.
          return interruption === "daemon" && isEngineLost(error) && this.#isBlocked ? undefined : blocked;
        }
        this.#log.warn({ error }, "the engine went away during the clean-up: again");
        await clock.sleep(wait, ending);
      }
    }
    return failure;
  }

  /**
   * The host hears of the failure, and the container stays locked until the clean-up has succeeded. Where the work
   * is whole all the same, it hears of that, and the clean-up is owed.
   */
  async #block(failure: Final, error: unknown): Promise<Final> {
    this.#tools.ending.throwIfAborted();
    const whole = await this.#whole();
    this.#isBlocked = whole === undefined;
    this.#owed = obstacleOf(error);
    if (this.#isBlocked) this.#options.explain(this.#owed);
    this.#log.error(
      { error, isBlocked: this.#isBlocked },
      "the clean-up could not be done; it is tried again",
    );
    return whole ?? failure;
  }

  /** Undefined also where it cannot be told: what has failed is owed then, and told later at the latest. */
  async #whole(): Promise<Final | undefined> {
    const { ending } = this.#tools;
    try {
      return await this.#kind.whole?.(this.#request, this.#context(ending));
    } catch (error) {
      ending.throwIfAborted();
      this.#log.warn({ error }, "whether the work is whole cannot be told");
      return undefined;
    }
  }

  async #keepCleaningUp(): Promise<void> {
    const { clock, ending, engineAnswers } = this.#tools;
    for (const wait of backoff(...CLEAN_UP_AGAIN)) {
      const isOver = await clock.sleep(wait, ending).then(
        () => false,
        () => true,
      );
      if (isOver || !this.#isBlocked) return;
      if ((await engineAnswers(ending)) && (await this.cleanUpAgain())) return;
    }
  }

  async #tryCleanUpAgain(): Promise<boolean> {
    if (!this.#isBlocked) return true;
    const { ending } = this.#tools;
    // There is one end: what is being written is written first.
    if (!(await this.#end.isFree())) return false;
    try {
      this.#owed = undefined;
      const found = await this.#kind.recover(this.#request, this.#context(ending), "daemon");
      await this.#reachEnd(found ?? this.#interrupted("the daemon died"));
      this.#isBlocked = false;
      this.#options.release();
      this.#log.info("the clean-up is done, the container is free");
      return true;
    } catch (error) {
      if (ending.aborted) return false;
      this.#owed = obstacleOf(error);
      this.#options.explain(this.#owed);
      this.#log.warn({ error }, "the clean-up could not be done; it is tried again");
      return false;
    }
  }

  #failure(thrown: unknown): Final {
    const { signal } = this.#controller;
    return signal.aborted
      ? this.#kind.cancelled(this.#request, TremplinError.from(signal.reason), this.#last)
      : this.#kind.failed(this.#request, TremplinError.from(thrown), this.#last);
  }

  #interrupted(cause: string): Final {
    const sentence = this.#kind.interrupted(this.#request, cause);
    return this.#kind.failed(this.#request, new TremplinError("failed", sentence), this.#last);
  }

  #context(signal: AbortSignal): OperationContext {
    const run = this;
    return {
      id: this.entry.id,
      startedAt: this.entry.startedAt,
      signal,
      shutdownSignal: this.#tools.ending,
      log: this.#log,
      get steps() {
        return run.#steps;
      },
      step: async (name, value = "done") => {
        const added = { [name]: value };
        await this.#tools.journal.change(this.entry.id, (entry) => ({
          ...entry,
          steps: { ...entry.steps, ...added },
        }));
        this.#steps = { ...this.#steps, ...added };
      },
      owe: (reason) => {
        this.#owed = reason;
      },
      progressAcknowledged: () => this.#heard,
    };
  }
}

function obstacleOf(error: unknown): string {
  return `its clean-up is tried again, because it could not be done: ${errorMessage(error)}`;
}

function isEngineLost(thrown: unknown): boolean {
  return TremplinError.from(thrown).code === "unavailable";
}
