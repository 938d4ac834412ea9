import type { Io } from "../io.ts";
import { TickingProgress } from "./ticking-progress.ts";

/** The width of a full bar. */
const BAR = 20;

/** One line that is drawn again each second. */
export class TerminalProgress extends TickingProgress {
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
    const parts = [this.title, this.#bar(), this.elapsed, this.pace, this.silence, this.words];
    const line = parts.filter((part) => part !== "").join("  ");
    this.io.err(`\r\x1b[K${line.slice(0, this.#columns - 1)}`);
  }

  #bar(): string {
    if (this.percent === undefined) return "";
    const full = Math.round((this.percent * BAR) / 100);
    return `[${"#".repeat(full)}${" ".repeat(BAR - full)}] ${this.percent} %`;
  }
}
