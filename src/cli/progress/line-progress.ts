import { plainText } from "../../base/text.ts";
import type { Io } from "../io.ts";
import { TickingProgress } from "./ticking-progress.ts";

/**
 * Prints a line for each new message and each ten percent, for ten times the bytes where nobody knows the percentage, and
 * one every 30 s in any case.
 */
export class LineProgress extends TickingProgress {
  #shown = "";

  constructor(title: string, io: Io) {
    super(title, io);
    this.print(title);
    this.repeat(30_000, () => {
      const parts = [`still ${this.title}`, this.message, this.elapsed, this.pace, this.silence];
      this.print(parts.filter((part) => part !== "").join(", "));
    });
  }

  override print(sentence: string): void {
    this.io.err(`${plainText(sentence)}\n`);
  }

  protected override render(): void {
    const share = this.isStalled ? undefined : this.percent;
    const key = this.#key(share);
    if (key === this.#shown) return;
    this.#shown = key;
    const parts = [`${this.message}${share === undefined ? "" : ` ${share} %`}`, this.pace];
    this.print(`${this.title}: ${parts.filter((part) => part !== "").join(", ")}`);
  }

  /** A message with counters (files, bytes) changes all the time, so the counters decide where there are some. */
  #key(share: number | undefined): string {
    if (share !== undefined) return `${Math.floor(share / 10)}`;
    if (this.isStalled || this.bytes === undefined) return this.message;
    return `bytes ${Math.floor(Math.log10(this.bytes + 1))}`;
  }
}
