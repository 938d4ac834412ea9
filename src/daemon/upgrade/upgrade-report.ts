import type { Clock } from "../../base/async/clock.ts";
import type { AptStatus } from "./apt.ts";
import { plainLine } from "./output-lines.ts";
import type { UpgradeLog } from "./upgrade-log.ts";

/** A notice has at most so many lines. */
export const MAX_LINES = 100;
const INTERVAL_MS = 1_000;
/** So long nothing may be printed before that is told. Milliseconds. */
const SILENCE_MS = 10_000;
/** At the end: so long the host may take for a notice before the rest is left to the log. */
const ACK_TIMEOUT_MS = 2_000;
/** Of a phase of apt, the part that downloading takes. */
const DOWNLOAD_FRACTION = 0.3;

interface Phase {
  readonly name: string;
  readonly share: number;
  readonly since: number;
}

/** What is told of an upgrade: lines of output, and which phase it is in and how far. */
export class UpgradeReport {
  readonly #log: UpgradeLog;
  readonly #clock: Clock;
  #total = 1;
  #done = 0;
  #phase: Phase | undefined;
  #fraction = 0;
  #action = "";
  #lastOutputAt: number;
  #lastPhaseLine = "";

  constructor(log: UpgradeLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#lastOutputAt = clock.elapsed();
  }

  /** Where all lines are. */
  get path(): string {
    return this.#log.path;
  }

  /** The sum of the shares of all phases there will be. */
  expect(total: number): void {
    this.#total = total;
  }

  /** A new phase begins, and the one before is done. */
  async begin(words: string, share: number): Promise<void> {
    this.#done += this.#phase?.share ?? 0;
    this.#phase = { name: words, share, since: this.#clock.elapsed() };
    this.#fraction = 0;
    this.#action = "";
    await this.#reportPhase();
  }

  /** A sentence of our own. */
  async say(sentence: string): Promise<void> {
    this.#lastOutputAt = this.#clock.elapsed();
    await this.#log.say(plainLine(sentence));
  }

  /** Plain lines that a program printed. */
  async output(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) this.#lastOutputAt = this.#clock.elapsed();
    await this.#log.write(lines);
  }

  /** How far apt is in this phase; told each second at most. */
  status(status: AptStatus): void {
    if (status.kind === "error") return;
    const part = status.percent / 100;
    const fraction =
      status.kind === "download"
        ? part * DOWNLOAD_FRACTION
        : DOWNLOAD_FRACTION + part * (1 - DOWNLOAD_FRACTION);
    this.#fraction = Math.max(this.#fraction, fraction);
    this.#action = plainLine(status.message);
  }

  /**
   * Yields the lines while the work goes on, each second those that are new, and not before the host has `heard`
   * the ones before: until then they wait in the log. Returns or throws what the work does.
   */
  async *tell<R>(work: Promise<R>, heard: () => Promise<void>): AsyncGenerator<string[], R, void> {
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    const over = work.then(end, end);
    let taken: Promise<boolean> = Promise.resolve(true);
    while (!isOver) {
      await this.#pause(INTERVAL_MS, over);
      if (!isOver) await this.#tick();
      for (;;) {
        const isFree = await Promise.race([taken, Promise.resolve(false)]);
        const lines = isFree ? await this.#log.next(MAX_LINES) : [];
        if (lines.length === 0) break;
        yield lines;
        taken = heard().then(() => true);
        // More than one notice holds: the next one need not wait for its second.
        if (lines.length === MAX_LINES) await this.#pause(INTERVAL_MS, Promise.race([taken, over]));
      }
    }
    for (;;) {
      await this.#pause(ACK_TIMEOUT_MS, taken);
      if (!(await Promise.race([taken, Promise.resolve(false)]))) break;
      const lines = await this.#log.next(MAX_LINES);
      if (lines.length === 0) break;
      yield lines;
      taken = heard().then(() => true);
    }
    return await work;
  }

  /** The lines that are left for the final notice. */
  async rest(): Promise<string[]> {
    const { lines, leftOut } = await this.#log.last(MAX_LINES - 1);
    return leftOut > 0 ? [`(${leftOut} lines are only in ${this.path})`, ...lines] : lines;
  }

  async #pause(milliseconds: number, until: Promise<unknown>): Promise<void> {
    const timer = new AbortController();
    await Promise.race([this.#clock.sleep(milliseconds, timer.signal).catch(() => undefined), until]);
    timer.abort();
  }

  async #tick(): Promise<void> {
    await this.#reportPhase();
    const silent = this.#clock.elapsed() - this.#lastOutputAt;
    if (silent < SILENCE_MS || !this.#phase) return;
    const seconds = Math.round((this.#clock.elapsed() - this.#phase.since) / 1000);
    await this.say(
      `still ${this.#activity}, for ${seconds} s; nothing was printed for ${Math.round(silent / 1000)} s`,
    );
  }

  /** One line, `== PERCENT % WORDS`, when it says something new: the command line reads it. */
  async #reportPhase(): Promise<void> {
    if (!this.#phase) return;
    const share = this.#done + this.#phase.share * this.#fraction;
    const line = `== ${Math.min(99, Math.floor((100 * share) / this.#total))} % ${this.#activity}`;
    if (line === this.#lastPhaseLine) return;
    this.#lastPhaseLine = line;
    await this.say(line);
  }

  get #activity(): string {
    const words = this.#phase?.name ?? "";
    return this.#action === "" ? words : `${words}: ${this.#action}`;
  }
}
