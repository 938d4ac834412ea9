/** Times as an engine writes them, to the nanosecond. No two are equal. */
export class Timestamps {
  #last = 0n;

  next(): string {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.#last = now > this.#last ? now : this.#last + 1n;
    const milliseconds = new Date(Number(this.#last / 1_000_000n)).toISOString().slice(0, -1);
    return `${milliseconds}${String(this.#last % 1_000_000n).padStart(6, "0")}Z`;
  }
}
