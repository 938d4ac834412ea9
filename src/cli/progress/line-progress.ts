import { plainText } from "../../base/text.ts";
import type { Io } from "../io.ts";
import { TickingProgress } from "./ticking-progress.ts";

/** Prints a line for each new message and each ten percent, and one every 30 s in any case. */
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
    // A message with counters (files, bytes) changes all the time, so the percentage decides where there is one.
    const share = this.isStalled ? undefined : this.percent;
    const key = share === undefined ? this.message : `${Math.floor(share / 10)}`;
    if (key === this.#shown) return;
    this.#shown = key;
    const parts = [`${this.message}${share === undefined ? "" : ` ${share} %`}`, this.pace];
    this.print(`${this.title}: ${parts.filter((part) => part !== "").join(", ")}`);
  }
}
