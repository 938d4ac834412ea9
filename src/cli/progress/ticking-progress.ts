import type { Clock } from "../../base/async/clock.ts";
import type { Io } from "../io.ts";
import { bytesText, durationText } from "../text/text.ts";
import { Pace } from "./pace.ts";
import type { Progress } from "./progress.ts";

/** How long nothing may be heard before that is shown. Milliseconds. */
const SILENCE = 5_000;

/** What both ways of showing know: since when, how far, and when something was heard last. */
export abstract class TickingProgress implements Progress {
  protected readonly title: string;
  protected readonly io: Io;
  protected percent: number | undefined;
  #words = "";
  #doubt = "";
  readonly #clock: Clock;
  readonly #begun: number;
  #heard: number;
  readonly #stop = new AbortController();
  #ticking: Promise<void> | undefined;
  readonly #pace = new Pace();

  constructor(title: string, io: Io) {
    this.title = title;
    this.io = io;
    this.#clock = io.clock;
    this.#begun = io.clock.now();
    this.#heard = this.#begun;
  }

  step(words: string, percent?: number, bytes?: number): void {
    this.#words = words;
    this.percent = percent;
    if (percent !== undefined) this.#pace.learn(this.#clock.now(), percent, bytes);
    this.alive();
    this.changed();
  }

  alive(): void {
    this.#heard = this.#clock.now();
    this.#doubt = "";
  }

  doubt(why: string): void {
    if (this.#doubt === why) return;
    this.#doubt = why;
    this.changed();
  }

  abstract say(sentence: string): void;

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ticking;
  }

  protected abstract changed(): void;

  /** Calls `tick` again and again, with these many milliseconds between. */
  protected every(milliseconds: number, tick: () => void): void {
    const { signal } = this.#stop;
    this.#ticking = (async () => {
      while (!signal.aborted) {
        await this.#clock.sleep(milliseconds, signal).then(tick, () => undefined);
      }
    })();
  }

  /** What is known last of the work, or why nothing is. */
  protected get words(): string {
    return this.#doubt || this.#words;
  }

  protected get isDoubtful(): boolean {
    return this.#doubt !== "";
  }

  protected get elapsed(): string {
    return durationText(this.#clock.now() - this.#begun);
  }

  /** How fast it goes, where bytes are counted, and how long it will go on; empty while neither is known. */
  protected get pace(): string {
    const { rate, left } = this.#pace;
    const parts = [
      rate === undefined ? "" : `${bytesText(Math.round(rate))}/s`,
      left === undefined || this.percent === undefined ? "" : `${durationText(left)} left`,
    ];
    return parts.filter((part) => part !== "").join(", ");
  }

  /** Empty while something was heard lately. */
  protected get silence(): string {
    const silent = this.#clock.now() - this.#heard;
    return silent < SILENCE ? "" : `last sign of life ${durationText(silent)} ago`;
  }
}
