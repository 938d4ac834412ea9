import type { Clock } from "../../base/async/clock.ts";

/** How far the reading of a file is, and how fast it went on the whole. */
export class ImportMeter {
  readonly #clock: Clock;
  readonly #size: number;
  readonly #began: number;
  #bytes = 0;

  /** `size`: of the file, in bytes. */
  constructor(clock: Clock, size: number) {
    this.#clock = clock;
    this.#size = size;
    this.#began = clock.now();
  }

  /** So many bytes were read so far. */
  readonly setBytes = (bytes: number): void => {
    this.#bytes = bytes;
  };

  /** For a notice: percent, and bytes a second. */
  read(): { progressPercent: number; progressSpeed: bigint } {
    const seconds = (this.#clock.now() - this.#began) / 1000;
    return {
      progressPercent: Math.min(100, Math.floor((this.#bytes / this.#size) * 100)),
      progressSpeed: BigInt(Math.round(seconds > 0 ? this.#bytes / seconds : 0)),
    };
  }
}
