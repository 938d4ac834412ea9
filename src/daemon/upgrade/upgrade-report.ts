import type { Clock } from "../../base/async/clock.ts";
import { formatPhaseLine, formatUpgradeStart } from "../../transport/upgrade-lines.ts";
import { plainLine } from "./output-lines.ts";
import type { AptStatus } from "./status-line.ts";
import type { UpgradeLog } from "./upgrade-log.ts";

/** A notice has at most so many lines. */
export const MOST_LINES = 100;
const INTERVAL = 1_000;
/** So long nothing may be printed before that is told. Milliseconds. */
const SILENCE = 10_000;
/** At the end: so long the host may take for a notice before the rest is left to the log. */
const PATIENCE = 2_000;
/** Of a phase of apt, the part that downloading takes. */
const DOWNLOAD = 0.3;

interface Phase {
  readonly words: string;
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
  #doing = "";
  #heard: number;
  #told = "";

  constructor(log: UpgradeLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#heard = clock.elapsed();
  }

  /** Where all lines are. */
  get path(): string {
    return this.#log.path;
  }

  /** The sum of the shares of all phases there will be. */
  expect(total: number): void {
    this.#total = total;
  }

  /** The first sentence, with the path of the log. */
  async start(container: string, release: string): Promise<void> {
    await this.say(formatUpgradeStart(container, release, this.path));
  }

  /** A new phase begins, and the one before is done. */
  async begin(words: string, share: number): Promise<void> {
    this.#done += this.#phase?.share ?? 0;
    this.#phase = { words, share, since: this.#clock.elapsed() };
    this.#fraction = 0;
    this.#doing = "";
    await this.#sayHowFar();
  }

  /** A sentence of our own. */
  async say(sentence: string): Promise<void> {
    this.#heard = this.#clock.elapsed();
    await this.#log.say(plainLine(sentence));
  }

  /** Plain lines that a program printed. */
  async output(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) this.#heard = this.#clock.elapsed();
    await this.#log.write(lines);
  }

  /** How far apt is in this phase; told each second at most. */
  status(status: AptStatus): void {
    if (status.kind === "error") return;
    const part = status.percent / 100;
    const fraction = status.kind === "download" ? part * DOWNLOAD : DOWNLOAD + part * (1 - DOWNLOAD);
    this.#fraction = Math.max(this.#fraction, fraction);
    this.#doing = plainLine(status.words);
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
      await this.#pause(INTERVAL, over);
      if (!isOver) await this.#tick();
      for (;;) {
        const isFree = await Promise.race([taken, Promise.resolve(false)]);
        const lines = isFree ? await this.#log.next(MOST_LINES) : [];
        if (lines.length === 0) break;
        yield lines;
        taken = heard().then(() => true);
        // More than one notice holds: the next one need not wait for its second.
        if (lines.length === MOST_LINES) await this.#pause(INTERVAL, Promise.race([taken, over]));
      }
    }
    for (;;) {
      await this.#pause(PATIENCE, taken);
      if (!(await Promise.race([taken, Promise.resolve(false)]))) break;
      const lines = await this.#log.next(MOST_LINES);
      if (lines.length === 0) break;
      yield lines;
      taken = heard().then(() => true);
    }
    return await work;
  }

  /** The lines that are left for the final notice. */
  async rest(): Promise<string[]> {
    const { lines, leftOut } = await this.#log.last(MOST_LINES - 1);
    return leftOut > 0 ? [`(${leftOut} lines are only in ${this.path})`, ...lines] : lines;
  }

  async #pause(milliseconds: number, until: Promise<unknown>): Promise<void> {
    const timer = new AbortController();
    await Promise.race([this.#clock.sleep(milliseconds, timer.signal).catch(() => undefined), until]);
    timer.abort();
  }

  async #tick(): Promise<void> {
    await this.#sayHowFar();
    const silent = this.#clock.elapsed() - this.#heard;
    if (silent < SILENCE || !this.#phase) return;
    const seconds = Math.round((this.#clock.elapsed() - this.#phase.since) / 1000);
    await this.say(
      `still ${this.#now}, for ${seconds} s; nothing was printed for ${Math.round(silent / 1000)} s`,
    );
  }

  /** One line when it says something new: the command line parses it. */
  async #sayHowFar(): Promise<void> {
    if (!this.#phase) return;
    const share = this.#done + this.#phase.share * this.#fraction;
    const percent = Math.min(99, Math.floor((100 * share) / this.#total));
    const line = formatPhaseLine({ percent, phase: this.#now });
    if (line === this.#told) return;
    this.#told = line;
    await this.say(line);
  }

  get #now(): string {
    const words = this.#phase?.words ?? "";
    return this.#doing === "" ? words : `${words}: ${this.#doing}`;
  }
}
