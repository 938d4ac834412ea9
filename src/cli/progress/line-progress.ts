import type { Io } from "../io.ts";
import { TickingProgress } from "./ticking-progress.ts";

/** A line for each new step and each ten percent, and one each half minute whatever happens. */
export class LineProgress extends TickingProgress {
  #shown = "";

  constructor(title: string, io: Io) {
    super(title, io);
    this.say(title);
    this.every(30_000, () => {
      const parts = [`still ${this.title}`, this.words, this.elapsed, this.pace, this.silence];
      this.say(parts.filter((part) => part !== "").join(", "));
    });
  }

  override say(sentence: string): void {
    this.io.err(`${sentence}\n`);
  }

  protected override changed(): void {
    // Counters in the words (files, bytes) change all the time; where there is a percentage it decides.
    const share = this.isDoubtful ? undefined : this.percent;
    const key = share === undefined ? this.words : `${Math.floor(share / 10)}`;
    if (key === this.#shown) return;
    this.#shown = key;
    const parts = [`${this.words}${share === undefined ? "" : ` ${share} %`}`, this.pace];
    this.say(`${this.title}: ${parts.filter((part) => part !== "").join(", ")}`);
  }
}
