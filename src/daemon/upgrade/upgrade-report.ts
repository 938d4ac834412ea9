import type { Clock } from "../../base/async/clock.ts";
import { formatPhaseLine, formatUpgradeStart } from "../../base/upgrade-lines.ts";
import type { AptStatus } from "./apt.ts";
import { plainLine } from "./output-lines.ts";
import type { UpgradeLog } from "./upgrade-log.ts";

/** The maximum number of lines in a notice. */
export const MAX_LINES = 100;
const INTERVAL_MS = 1_000;
/** After this time without output a line reports that the work continues. */
const SILENCE_MS = 10_000;
/** How long the end waits for the host to acknowledge a notice; then the other lines stay in the log only. */
const ACK_TIMEOUT_MS = 2_000;
/** The part of a phase that downloads take. */
const DOWNLOAD_FRACTION = 0.3;

interface Phase {
  readonly name: string;
  readonly share: number;
  readonly since: number;
}

/** Reports an upgrade to the host: lines of output, the current phase and its progress. */
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

  /** The path of the log with all lines. */
  get path(): string {
    return this.#log.path;
  }

  /** Sets the sum of the shares of all phases. */
  expect(total: number): void {
    this.#total = total;
  }

  /** Adds the first sentence, with the path of the log. */
  async start(container: string, release: string): Promise<void> {
    await this.say(formatUpgradeStart(container, release, this.path));
  }

  /** Begins a phase and completes the one before. */
  async begin(name: string, share: number): Promise<void> {
    this.#done += this.#phase?.share ?? 0;
    this.#phase = { name, share, since: this.#clock.elapsed() };
    this.#fraction = 0;
    this.#action = "";
    await this.#reportPhase();
  }

  /** Adds a sentence of the daemon itself. */
  async say(sentence: string): Promise<void> {
    this.#lastOutputAt = this.#clock.elapsed();
    await this.#log.say(plainLine(sentence));
  }

  /** Adds plain lines that a program printed. */
  async output(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) this.#lastOutputAt = this.#clock.elapsed();
    await this.#log.write(lines);
  }

  /** Sets apt's progress in this phase. It is reported at most once a second. */
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
   * Yields new lines once a second while `work` runs. Yields the next ones only after `acknowledged` has resolved for
   * the ones before; until then they wait in the log. Returns the result of `work`, or throws its error.
   */
  async *stream<R>(work: Promise<R>, acknowledged: () => Promise<void>): AsyncGenerator<string[], R, void> {
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    const over = work.then(end, end);
    let isAcknowledged = true;
    let acknowledgement = Promise.resolve();
    const awaitAcknowledgement = () => {
      isAcknowledged = false;
      acknowledgement = acknowledged().then(() => {
        isAcknowledged = true;
      });
    };
    while (!isOver) {
      await this.#pause(INTERVAL_MS, over);
      if (!isOver) await this.#tick();
      for (;;) {
        const lines = isAcknowledged ? await this.#log.next(MAX_LINES) : [];
        if (lines.length === 0) break;
        yield lines;
        awaitAcknowledgement();
        // A full notice: more lines wait, so do not wait for the next second.
        if (lines.length === MAX_LINES) await this.#pause(INTERVAL_MS, Promise.race([acknowledgement, over]));
      }
    }
    for (;;) {
      await this.#pause(ACK_TIMEOUT_MS, acknowledgement);
      const lines = isAcknowledged ? await this.#log.next(MAX_LINES) : [];
      if (lines.length === 0) break;
      yield lines;
      awaitAcknowledgement();
    }
    return await work;
  }

  /** The last lines for the final notice. */
  async remainingLines(): Promise<string[]> {
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

  /** Adds a line of the phase if it has changed. The command line parses it. */
  async #reportPhase(): Promise<void> {
    if (!this.#phase) return;
    const share = this.#done + this.#phase.share * this.#fraction;
    const percent = Math.min(99, Math.floor((100 * share) / this.#total));
    const line = formatPhaseLine({ percent, phase: this.#activity });
    if (line === this.#lastPhaseLine) return;
    this.#lastPhaseLine = line;
    await this.say(line);
  }

  get #activity(): string {
    const name = this.#phase?.name ?? "";
    return this.#action === "" ? name : `${name}: ${this.#action}`;
  }
}
