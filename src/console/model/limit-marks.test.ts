import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MarkLimit } from "./limit-marks.ts";

const accent = "\u0301";

test("text with the marks of any script stays as it is", () => {
  for (const text of ["", "abc\r\n", `e${accent}`, "กำลัง", "👩‍👩‍👧", "한국어", `\u001b[1m${accent}`]) {
    assert.equal(new MarkLimit().limit(text), text);
  }
});

test("of a flood of marks only the first few reach the terminal, also in pieces", () => {
  const pieces = fc.array(
    fc.array(fc.constantFrom("a", "b", accent, "\u200d", "\ud800")).map((all) => all.join("")),
  );
  const property = fc.property(pieces, (all) => {
    const limit = new MarkLimit();
    const shown = all.map((each) => limit.limit(each)).join("");
    assert.ok(!/(?:\u0301|\u200d){17}/.test(shown));
    assert.equal(shown.replace(/\u0301|\u200d/g, ""), all.join("").replace(/\u0301|\u200d/g, ""));
  });
  fc.assert(property);
  const flood = new MarkLimit();
  let length = 0;
  for (let count = 0; count < 1_000; count++) length += flood.limit(accent.repeat(1_000)).length;
  assert.equal(length, 16);
});
