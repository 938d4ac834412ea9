import type { Clock } from "../../base/async/clock.ts";

/** Progress and average speed of reading a file. */
export class ImportMeter {
  readonly #clock: Clock;
  readonly #size: number;
  readonly #began: number;
  #bytes = 0;

  /** `size`: bytes. */
  constructor(clock: Clock, size: number) {
    this.#clock = clock;
    this.#size = size;
    this.#began = clock.elapsed();
  }

  /** Sets the number of bytes that were read so far. */
  readonly setBytes = (bytes: number): void => {
    this.#bytes = bytes;
  };

  /** For a notice: percent, and bytes per second. */
  read(): { progressPercent: number; progressSpeed: bigint } {
    const seconds = (this.#clock.elapsed() - this.#began) / 1000;
    return {
      progressPercent: Math.min(100, Math.floor((this.#bytes / this.#size) * 100)),
      progressSpeed: BigInt(Math.round(seconds > 0 ? this.#bytes / seconds : 0)),
    };
  }
}
