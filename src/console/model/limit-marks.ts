/** More of them on one character than any script has. */
const MOST = 16;

/** What takes no column of its own: the terminal keeps all of it with the character before, however much that is. */
const marks = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]+/gu;

/** Leaves out the marks of a character beyond the first few. The text comes in pieces. */
export class MarkLimit {
  /** Of the last character so far. */
  #count = 0;

  limit(text: string): string {
    const found = text.replace(marks, (run, at: number) => {
      const before = at === 0 ? this.#count : 0;
      const kept = [...run].slice(0, Math.max(0, MOST - before)).join("");
      if (at + run.length === text.length) this.#count = before + run.length;
      return kept;
    });
    if (text !== "" && !/[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u.test(text)) this.#count = 0;
    return found;
  }
}
