import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { debugText, fairShare } from "./debug-text.ts";
import { lastLines } from "./log-tail.ts";

test("sections that fit are not shortened", () => {
  const sections = [
    { title: "daemon", text: "version 1\n" },
    { title: "engine", text: "stopped" },
  ];
  assert.equal(debugText(sections, 1000), "== daemon\nversion 1\n\n== engine\nstopped\n\n");
});

test("a long section keeps its last lines, a short one is not shortened", () => {
  const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join("\n");
  const text = debugText(
    [
      { title: "daemon", text: "version 1" },
      { title: "log", text: lines },
    ],
    200,
  );
  assert.match(text, /^== daemon\nversion 1\n\n== log\nline \d+\n/);
  assert.match(text, /line 998\nline 999\n\n$/);
  assert.ok(text.length <= 200 && text.length > 150);
});

test("the text never exceeds its limit, and no share is wasted", () => {
  const sections = fc.array(
    fc.record({ title: fc.string({ maxLength: 5 }), text: fc.string({ unit: "grapheme" }) }),
    { maxLength: 9 },
  );
  fc.assert(
    fc.property(sections, fc.integer({ min: 400, max: 700 }), (all, limit) => {
      assert.ok(Buffer.byteLength(debugText(all, limit)) <= limit);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 1 }), fc.nat(5000), (sizes, total) => {
      const share = fairShare(sizes, total);
      const given = sizes.reduce((sum, size) => sum + Math.min(size, share), 0);
      assert.ok(given <= total);
      if (share !== Number.POSITIVE_INFINITY) assert.ok(total - given < sizes.length);
    }),
  );
});

test("a line that does not fit is left out whole", () => {
  assert.equal(lastLines(Buffer.from("one\ntwo\n"), 8).toString(), "one\ntwo\n");
  assert.equal(lastLines(Buffer.from("one\ntwo\n"), 6).toString(), "two\n");
  assert.equal(lastLines(Buffer.from("one\ntwo\n"), 3).toString(), "");
  assert.equal(lastLines(Buffer.from("no end"), 3).toString(), "");
});
