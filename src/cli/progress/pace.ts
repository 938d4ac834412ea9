/** How far back the rate looks. Milliseconds. */
const WINDOW = 5_000;
/** Before so much has passed nothing is foretold. Milliseconds. */
const LEARNING = 2_000;

interface Sample {
  readonly at: number;
  readonly percent: number;
  readonly bytes: number;
}

/** How fast work goes: learns from each word of its progress. */
export class Pace {
  #samples: readonly Sample[] = [];
  #first: Sample | undefined;

  /** `at` in milliseconds; `bytes` of the input so far. */
  learn(at: number, percent: number, bytes = 0): void {
    const last = this.#samples.at(-1);
    // A step back begins something new.
    if (!last || percent < last.percent || bytes < last.bytes) this.#first = undefined;
    const known = this.#first ? this.#samples.filter((sample) => sample.at >= at - WINDOW) : [];
    this.#first ??= { at, percent, bytes };
    this.#samples = [...known, { at, percent, bytes }];
  }

  /** Bytes in a second, of late; undefined while it is not known. */
  get rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at === first.at || last.bytes === 0) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }

  /** Milliseconds until the end, at the pace of the whole so far; undefined while it cannot be told. */
  get left(): number | undefined {
    const [first, last] = [this.#first, this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < LEARNING || last.percent <= first.percent) return undefined;
    return ((100 - last.percent) * (last.at - first.at)) / (last.percent - first.percent);
  }
}
