import { bytesText, durationText } from "./text.ts";

/** The rate is measured over this time. Milliseconds. */
const WINDOW = 5_000;
/** Before this time has passed nothing is estimated. Milliseconds. */
const WARM_UP = 2_000;

interface Sample {
  readonly at: number;
  readonly percent: number;
  readonly bytes: number;
}

/** Estimates the speed and the remaining time of an operation from samples of its progress. */
export class Pace {
  #samples: readonly Sample[] = [];
  #first: Sample | undefined;

  /** `at` in milliseconds; `bytes` of the input so far. */
  record(at: number, percent: number, bytes = 0): void {
    const last = this.#samples.at(-1);
    // Progress that decreases is the beginning of a new phase.
    if (!last || percent < last.percent || bytes < last.bytes) this.#first = undefined;
    const known = this.#first ? this.#samples.filter((sample) => sample.at >= at - WINDOW) : [];
    this.#first ??= { at, percent, bytes };
    this.#samples = [...known, { at, percent, bytes }];
  }

  /** Bytes per second over the last seconds; undefined while unknown. */
  get rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at === first.at || last.bytes === 0) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }

  /** Milliseconds until the end, at the average speed so far; undefined while unknown. */
  get remaining(): number | undefined {
    const [first, last] = [this.#first, this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < WARM_UP || last.percent <= first.percent) return undefined;
    return ((100 - last.percent) * (last.at - first.at)) / (last.percent - first.percent);
  }
}

/** Rate and remaining time in words, as far as they are known: "2 MiB/s, 40 s left". */
export function paceText({ rate, remaining }: Pick<Pace, "rate" | "remaining">): string {
  const parts = [
    rate === undefined ? "" : `${bytesText(Math.round(rate))}/s`,
    remaining === undefined ? "" : `${durationText(remaining)} left`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}
