import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusLine } from "./status-line.ts";

/** A terminal of ASCII alone: what it shows after what was written to it, also when its width changes. */
class SmallTerminal {
  readonly reflows: boolean;
  readonly rows = 24;
  columns = 80;
  /** Without the breaks that the width makes. */
  #lines: string[] = [""];

  constructor(reflows: boolean) {
    this.reflows = reflows;
  }

  write(text: string): void {
    let upward = 0;
    for (const part of text.split(/(\n|\r|(?<=A)|(?<=J)|(?=\p{Cc}))/u)) {
      if (/^\p{Cc}\[\d+A$/u.test(part)) upward = Number.parseInt(part.slice(2), 10);
      else if (/^\p{Cc}\[J$/u.test(part)) this.#eraseFrom(upward);
      else if (part === "\n") this.#lines.push("");
      else if (part !== "\r") this.#lines.push(`${this.#lines.pop()}${part}`);
    }
  }

  /** A terminal that does not reflow has cut the line off. */
  resize(columns: number): void {
    this.columns = columns;
    if (!this.reflows) this.#lines = this.#lines.map((line) => line.slice(0, columns));
  }

  get shown(): string {
    return this.#lines.join("\n");
  }

  #eraseFrom(upward: number): void {
    const last = this.#lines.pop() ?? "";
    const rows = Math.max(1, Math.ceil(last.length / this.columns));
    if (upward + 1 < rows) this.#lines.push(last.slice(0, (rows - 1 - upward) * this.columns));
    else this.#lines.splice(this.#lines.length - (upward + 1 - rows), Infinity, "");
  }
}

test("after any resizing only what stays is left, once, and the newest line below it", () => {
  const step = fc.oneof(
    fc.record({ columns: fc.integer({ min: 10, max: 120 }) }),
    fc.record({ print: fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 9 }) }),
    fc.record({ length: fc.integer({ min: 0, max: 119 }) }),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(step), (reflows, steps) => {
      const terminal = new SmallTerminal(reflows);
      const line = new StatusLine(terminal);
      let printed = "";
      for (const each of steps) {
        if ("columns" in each) terminal.resize(each.columns);
        else if ("length" in each) line.show("=".repeat(Math.min(each.length, terminal.columns - 1)));
        else {
          line.above(`${each.print}\n`, () => terminal.write(`${each.print}\n`));
          printed += `${each.print}\n`;
        }
      }
      line.show("");
      assert.equal(terminal.shown, printed);
    }),
  );
});

test("a line that has not ended yet is not drawn over", () => {
  const terminal = new SmallTerminal(true);
  const line = new StatusLine(terminal);
  line.show("working");
  line.above("Sure? ", () => terminal.write("Sure? "));
  assert.equal(terminal.shown, "Sure? ");
});
