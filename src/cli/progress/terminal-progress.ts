import { plainText } from "../../base/text.ts";
import type { Io } from "../io.ts";
import { TickingProgress } from "./ticking-progress.ts";

/** The width of the bar in characters. */
const BAR = 20;

/** Redraws one line every second. */
export class TerminalProgress extends TickingProgress {
  readonly #columns: number;

  constructor(title: string, io: Io, terminal: { columns: number }) {
    super(title, io);
    this.#columns = terminal.columns || 80;
    this.render();
    this.repeat(1_000, () => this.render());
  }

  override print(sentence: string): void {
    this.io.err(`\r\x1b[K${plainText(sentence)}\n`);
    this.render();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.io.err("\r\x1b[K");
  }

  protected override render(): void {
    const parts = [this.title, this.#bar(), this.elapsed, this.pace, this.silence, this.message];
    const line = parts.filter((part) => part !== "").join("  ");
    this.io.err(`\r\x1b[K${plainText(line).slice(0, this.#columns - 1)}`);
  }

  #bar(): string {
    if (this.percent === undefined) return "";
    const full = Math.round((this.percent * BAR) / 100);
    return `[${"#".repeat(full)}${" ".repeat(BAR - full)}] ${this.percent} %`;
  }
}
