import { plainText } from "../../base/text.ts";
import type { Io } from "../io.ts";
import type { StatusLine } from "./status-line.ts";
import { TickingProgress } from "./ticking-progress.ts";

/** The widest bar, in characters. */
const BAR = 20;

/** Redraws one line every second. */
export class TerminalProgress extends TickingProgress {
  readonly #line: StatusLine;

  constructor(title: string, io: Io, line: StatusLine) {
    super(title, io);
    this.#line = line;
    this.render();
    this.repeat(1_000, () => this.render());
  }

  override print(sentence: string): void {
    this.io.err(`${plainText(sentence)}\n`);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.#line.show("");
  }

  protected override render(): void {
    const parts = [this.title, this.#bar(), this.elapsed, this.pace, this.silence, this.message];
    const line = parts.filter((part) => part !== "").join("  ");
    this.#line.show(plainText(line));
  }

  /** In a narrow terminal the percentage alone, so that the message has room. */
  #bar(): string {
    if (this.percent === undefined) return "";
    if (this.#line.columns < 60) return `${this.percent} %`;
    const full = Math.round((this.percent * BAR) / 100);
    return `[${"#".repeat(full)}${" ".repeat(BAR - full)}] ${this.percent} %`;
  }
}
