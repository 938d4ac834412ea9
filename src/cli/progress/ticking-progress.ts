import type { Clock } from "../../base/async/clock.ts";
import { Pace, paceText } from "../../base/pace.ts";
import { durationText } from "../../base/text.ts";
import type { Io } from "../io.ts";
import type { Progress } from "./progress.ts";

/** How old the last sign of life must be before its age is shown. */
const SILENCE_MS = 5_000;

/** What both displays share: elapsed time, percentage, speed, and the age of the last sign of life. */
export abstract class TickingProgress implements Progress {
  protected readonly title: string;
  protected readonly io: Io;
  protected percent: number | undefined;
  protected bytes: number | undefined;
  #message = "";
  #stallReason = "";
  readonly #clock: Clock;
  readonly #startedAt: number;
  #lastSign: number;
  readonly #stop = new AbortController();
  #ticking: Promise<void> | undefined;
  readonly #pace = new Pace();

  constructor(title: string, io: Io) {
    this.title = title;
    this.io = io;
    this.#clock = io.clock;
    this.#startedAt = io.clock.elapsed();
    this.#lastSign = this.#startedAt;
  }

  update(message: string, percent?: number, bytes?: number): void {
    this.#message = message;
    this.percent = percent;
    this.bytes = bytes;
    if (percent !== undefined) this.#pace.record(this.#clock.elapsed(), percent, bytes);
    this.heartbeat();
    this.render();
  }

  heartbeat(): void {
    this.#lastSign = this.#clock.elapsed();
    this.#stallReason = "";
  }

  stalled(reason: string): void {
    if (this.#stallReason === reason) return;
    this.#stallReason = reason;
    this.render();
  }

  abstract print(sentence: string): void;

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ticking;
  }

  protected abstract render(): void;

  /** Calls `tick` every `milliseconds` until this is disposed of. */
  protected repeat(milliseconds: number, tick: () => void): void {
    const { signal } = this.#stop;
    this.#ticking = (async () => {
      while (!signal.aborted) {
        await this.#clock.sleep(milliseconds, signal).then(tick, () => undefined);
      }
    })();
  }

  /** The newest message, or why there is none. */
  protected get message(): string {
    return this.#stallReason || this.#message;
  }

  protected get isStalled(): boolean {
    return this.#stallReason !== "";
  }

  protected get elapsed(): string {
    return durationText(this.#clock.elapsed() - this.#startedAt);
  }

  /** Bytes per second and remaining time, as far as they are known. */
  protected get pace(): string {
    const { rate, remaining } = this.#pace;
    return paceText({ rate, remaining: this.percent === undefined ? undefined : remaining });
  }

  /** Empty while the last sign of life is recent. */
  protected get silence(): string {
    const silent = this.#clock.elapsed() - this.#lastSign;
    return silent < SILENCE_MS ? "" : `last sign of life ${durationText(silent)} ago`;
  }
}
