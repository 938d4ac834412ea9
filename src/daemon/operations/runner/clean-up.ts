import type { Message } from "@bufbuild/protobuf";
import { backoff } from "../../../base/async/backoff.ts";
import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { errorMessage, isUnavailable, TremplinError } from "../../../base/tremplin-error.ts";
import type { ListenerMethod, NoticeInit } from "../../notices/notice.ts";
import type { Lock } from "./locks.ts";
import type { Interruption, OperationContext, OperationKind } from "./operation.ts";

export type FinalMessage = NoticeInit<ListenerMethod>;

/** After this many deaths of the engine in one clean-up, the clean-up waits for the next engine. */
const MAX_ENGINE_DEATHS = 5;
const FIRST_ENGINE_RETRY_MS = 250;
const LAST_ENGINE_RETRY_MS = 5_000;
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 300_000;

interface CleanUpOptions {
  readonly kind: OperationKind;
  readonly request: Message;
  /** What the kind gets: its signal aborts only when the daemon shuts down. */
  readonly context: OperationContext;
  /** Whether the operation has a container: work on the engine itself is never locked for a clean-up. */
  readonly hasContainer: boolean;
  /** Waits until the engine answers (again); false when it will not. */
  readonly engineAnswers: (signal: AbortSignal) => Promise<boolean>;
  readonly lock: Lock;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The clean-up of one operation, repeated until it succeeds. */
export class CleanUp {
  readonly #options: CleanUpOptions;
  #debt: string | undefined;
  #isBlocked = false;

  constructor(options: CleanUpOptions) {
    this.#options = options;
  }

  /** What the operation still has to clean up, as a sentence. */
  get debt(): string | undefined {
    return this.#debt;
  }

  /** Whether the clean-up failed and the lock must be kept until it succeeds. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  owe(debt: string): void {
    this.#debt = debt;
  }

  /**
   * Returns the final message, which is `failure` when everything is as it was before. Undefined when only the next
   * engine can show how the operation ended. Rejects only when the daemon shuts down.
   */
  async run(interruption: Interruption, failure: FinalMessage): Promise<FinalMessage | undefined> {
    const { kind, request, context, hasContainer, clock, log } = this.#options;
    const { shutdownSignal } = context;
    let deaths = 0;
    for (const wait of backoff(FIRST_ENGINE_RETRY_MS, LAST_ENGINE_RETRY_MS)) {
      try {
        const message = await this.#recover(interruption);
        this.#isBlocked = false;
        return message ?? failure;
      } catch (error) {
        shutdownSignal.throwIfAborted();
        if (!hasContainer) return kind.failed(request, TremplinError.from(error));
        if (!isUnavailable(error)) return await this.block(failure, error);
        if (++deaths === MAX_ENGINE_DEATHS || !(await this.#options.engineAnswers(shutdownSignal))) {
          const message = await this.block(failure, error);
          // Nobody waits for the outcome of a recovery: it is sent once an engine shows how the operation ended.
          return interruption === "daemon" && this.#isBlocked ? undefined : message;
        }
        log.warn({ error }, "the engine went away during the clean-up: trying again");
        await clock.sleep(wait, shutdownSignal);
      }
    }
    return failure;
  }

  /**
   * Blocks until a retry succeeds, and returns `failure`. Where the work is whole all the same, returns its message
   * instead; then the clean-up is a debt and needs no lock.
   */
  async block(failure: FinalMessage, error: unknown): Promise<FinalMessage> {
    const { context, log, lock } = this.#options;
    context.shutdownSignal.throwIfAborted();
    const whole = await this.#whole();
    this.#isBlocked = whole === undefined;
    this.#debt = debtOf(error);
    if (this.#isBlocked) lock.setObstacle(this.#debt);
    log.error({ error, isBlocked: this.#isBlocked }, "the clean-up failed; it will be tried again");
    return whole ?? failure;
  }

  /** Tries a blocked clean-up once more and gives its message to `end`. True when it succeeded. Never rejects. */
  async retry(end: (message: FinalMessage | undefined) => Promise<void>): Promise<boolean> {
    const { context, log, lock } = this.#options;
    try {
      await end(await this.#recover("daemon"));
      this.#isBlocked = false;
      return true;
    } catch (error) {
      if (context.shutdownSignal.aborted) return false;
      this.#debt = debtOf(error);
      lock.setObstacle(this.#debt);
      log.warn({ error }, "the clean-up failed again; it will be tried again");
      return false;
    }
  }

  /** Calls `retry` after longer and longer times, while the engine answers, until it is true or the daemon shuts down. */
  async retryUntilDone(retry: () => Promise<boolean>): Promise<void> {
    const { clock, context, engineAnswers } = this.#options;
    const { shutdownSignal } = context;
    for (const wait of backoff(FIRST_RETRY_MS, LAST_RETRY_MS)) {
      await clock.sleep(wait, shutdownSignal).catch(() => undefined);
      if (shutdownSignal.aborted || !this.#isBlocked) return;
      if ((await engineAnswers(shutdownSignal)) && (await retry())) return;
    }
  }

  #recover(interruption: Interruption): Promise<FinalMessage | undefined> {
    const { kind, request, context } = this.#options;
    this.#debt = undefined;
    return kind.recover(request, context, interruption);
  }

  /** Undefined also where this cannot be found out. */
  async #whole(): Promise<FinalMessage | undefined> {
    const { kind, request, context, log } = this.#options;
    try {
      return await kind.whole?.(request, context);
    } catch (error) {
      context.shutdownSignal.throwIfAborted();
      log.warn({ error }, "cannot find out whether the work is whole");
      return undefined;
    }
  }
}

function debtOf(error: unknown): string {
  return `its clean-up is tried again, because it failed: ${errorMessage(error)}`;
}
