import type { Clock } from "../base/clock.ts";
import type { Io } from "./io.ts";
import { durationText } from "./text.ts";

/** Where a person sees how work goes. Silence is never shown as a stand-still: it says how old the last sign is. */
export interface Progress extends AsyncDisposable {
  /** Something was heard of the work. */
  step(words: string, percent?: number): void;
  /** The work is known to go on, though nothing new was heard. */
  alive(): void;
  /** A sentence of its own, for example that the host is away. */
  say(sentence: string): void;
}

/** How long nothing may be heard before that is shown. Milliseconds. */
const SILENCE = 5_000;
const BAR = 20;

/** Shows progress of work named by its title ("creating penguin") on a terminal, or as lines where there is none. */
export function showProgress(title: string, io: Io): Progress {
  const { terminal } = io;
  return terminal ? new TerminalProgress(title, io, terminal) : new LineProgress(title, io);
}

/** For programs, which read events themselves. */
export const noProgress: Progress = {
  step: () => undefined,
  alive: () => undefined,
  say: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** What both ways of showing know: since when, how far, and when something was heard last. */
abstract class Ticking implements Progress {
  protected readonly title: string;
  protected readonly io: Io;
  protected words = "";
  protected percent: number | undefined;
  readonly #clock: Clock;
  readonly #begun: number;
  #heard: number;
  readonly #stop = new AbortController();
  #ticking: Promise<void> | undefined;

  constructor(title: string, io: Io) {
    this.title = title;
    this.io = io;
    this.#clock = io.clock;
    this.#begun = io.clock.now();
    this.#heard = this.#begun;
  }

  step(words: string, percent?: number): void {
    this.words = words;
    this.percent = percent;
    this.alive();
    this.changed();
  }

  alive(): void {
    this.#heard = this.#clock.now();
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

  protected get elapsed(): string {
    return durationText(this.#clock.now() - this.#begun);
  }

  /** Empty while something was heard lately. */
  protected get silence(): string {
    const silent = this.#clock.now() - this.#heard;
    return silent < SILENCE ? "" : `last sign of life ${durationText(silent)} ago`;
  }
}

/** One line that is drawn again each second. */
class TerminalProgress extends Ticking {
  readonly #columns: number;

  constructor(title: string, io: Io, terminal: { columns: number }) {
    super(title, io);
    this.#columns = terminal.columns || 80;
    this.changed();
    this.every(1_000, () => this.changed());
  }

  override say(sentence: string): void {
    this.io.err(`\r\x1b[K${sentence}\n`);
    this.changed();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.io.err("\r\x1b[K");
  }

  protected override changed(): void {
    const parts = [this.title, this.#bar(), this.words, this.elapsed, this.silence];
    const line = parts.filter((part) => part !== "").join("  ");
    this.io.err(`\r\x1b[K${line.slice(0, this.#columns - 1)}`);
  }

  #bar(): string {
    if (this.percent === undefined) return "";
    const full = Math.round((this.percent * BAR) / 100);
    return `[${"#".repeat(full)}${" ".repeat(BAR - full)}] ${this.percent} %`;
  }
}

/** A line for each new step and each ten percent, and one each half minute whatever happens. */
class LineProgress extends Ticking {
  #shown = "";

  constructor(title: string, io: Io) {
    super(title, io);
    this.say(title);
    this.every(30_000, () => {
      const parts = [`still ${this.title}`, this.words, this.elapsed, this.silence];
      this.say(parts.filter((part) => part !== "").join(", "));
    });
  }

  override say(sentence: string): void {
    this.io.err(`${sentence}\n`);
  }

  protected override changed(): void {
    const tenth = this.percent === undefined ? "" : ` ${Math.floor(this.percent / 10) * 10} %`;
    // Counters in the words (files, bytes) change all the time; where there is a percentage it decides.
    const key = tenth || this.words;
    if (key === this.#shown) return;
    this.#shown = key;
    this.say(`${this.title}: ${this.words}${this.percent === undefined ? "" : ` ${this.percent} %`}`);
  }
}
