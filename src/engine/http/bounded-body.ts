import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { REQUEST_TIMEOUT_MS } from "./engine-http.ts";

export interface BodyLimits {
  readonly signal?: AbortSignal | undefined;
  /** The longest time without data while a reader waits. Default 60 s. A slow reader is not limited. */
  readonly timeoutMs?: number | undefined;
}

/** The body of a response as a stream that cannot hang. */
export class BoundedBody extends Readable {
  readonly #answer: IncomingMessage;
  readonly #limits: BodyLimits;
  #waiting: TimeLimit | undefined;

  constructor(answer: IncomingMessage, limits: BodyLimits) {
    super();
    this.#answer = answer;
    this.#limits = limits;
    answer.on("data", (chunk: Buffer) => this.#take(chunk));
    answer.once("end", () => {
      this.#rest();
      this.push(null);
    });
    answer.on("error", (error) => {
      this.destroy(
        new TremplinError("unavailable", `the engine's response was interrupted: ${error.message}`, error),
      );
    });
    answer.pause();
    // A reader gets the error; without one it must not end the program.
    this.on("error", () => undefined);
  }

  override _read(): void {
    this.#waiting ??= this.#wait();
    this.#answer.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#rest();
    this.#answer.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) return;
    this.#rest();
    if (this.push(chunk)) this.#waiting = this.#wait();
    else this.#answer.pause();
  }

  #wait(): TimeLimit {
    const { timeoutMs = REQUEST_TIMEOUT_MS, signal } = this.#limits;
    const late = () => new TremplinError("unavailable", `the engine sent nothing for ${timeoutMs / 1000} s`);
    const limit = new TimeLimit(timeoutMs, late, [signal]);
    const give = () => this.destroy(limit.signal.reason);
    if (limit.signal.aborted) give();
    else limit.signal.addEventListener("abort", give);
    return limit;
  }

  #rest(): void {
    this.#waiting?.[Symbol.dispose]();
    this.#waiting = undefined;
  }
}
