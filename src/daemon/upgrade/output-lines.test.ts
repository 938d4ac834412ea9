import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { MAX_LINE_BYTES, OutputLines, plainLine } from "./output-lines.ts";

function linesOf(...chunks: Uint8Array[]): string[] {
  const lines = new OutputLines();
  return [...chunks.flatMap((chunk) => lines.take(chunk)), ...lines.end()];
}

test("carriage returns end lines; escape sequences and blank lines are removed", () => {
  assert.deepEqual(linesOf(Buffer.from("5%\r10%\r\n\n\x1b[1mdone\x1b[0m\x07 \tnow\nrest")), [
    "5%",
    "10%",
    "done   now",
    "rest",
  ]);
});

test("any output gives plain, short lines, however it is split into chunks", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "é", "😀", "\n", "\r", "\x1b[31m", "\0", "\u2028", "\x9b", " "),
  });
  fc.assert(
    fc.property(
      fc.oneof(
        text.map((each) => Buffer.from(each)),
        fc.uint8Array(),
      ),
      fc.nat(),
      (bytes, at) => {
        const cut = bytes.length === 0 ? 0 : at % bytes.length;
        const lines = linesOf(bytes);
        assert.deepEqual(linesOf(bytes.subarray(0, cut), bytes.subarray(cut)), lines);
        for (const line of lines) {
          assert.ok(
            !/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u.test(line) && line.isWellFormed(),
            JSON.stringify(line),
          );
          assert.ok(Buffer.byteLength(line) <= MAX_LINE_BYTES);
        }
      },
    ),
  );
});

test("a long line is cut between characters", () => {
  for (const letter of ["x", "é", "€", "😀"]) {
    const line = plainLine(letter.repeat(8_000));
    assert.ok(Buffer.byteLength(line) <= MAX_LINE_BYTES && Buffer.byteLength(line) > MAX_LINE_BYTES - 8);
    assert.match(line, new RegExp(`^(${letter})+…$`, "u"));
  }
});

test("output without line ends is bounded, and parsed in time", () => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  const lines = inLinearTime(() => linesOf(...Array.from({ length: 400 }, () => chunk)));
  assert.ok(lines.length >= 400);
});

test("a password in the address of a mirror does not appear", () => {
  const lines = new OutputLines();
  const printed = "Err:1 https://ada:s3cret@mirror.example/debian trixie InRelease\n";
  assert.deepEqual(lines.take(Buffer.from(printed)), [
    "Err:1 https://mirror.example/debian trixie InRelease",
  ]);
});
