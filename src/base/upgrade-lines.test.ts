import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatPhaseLine, formatUpgradeStart, parsePhaseLine, parseUpgradeLog } from "./upgrade-lines.ts";

/** What plainLine leaves of a sentence: no control characters, so no line breaks. */
const line = fc.string({ unit: fc.constantFrom("a", "%", "=", " ", ";", ":", "0", "é", "/", ".") });

test("a phase line is parsed to what it was formatted from", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), line, (percent, phase) => {
      assert.deepEqual(parsePhaseLine(formatPhaseLine({ percent, phase })), { percent, phase });
    }),
  );
  assert.equal(formatPhaseLine({ percent: 40, phase: "upgrading: x" }), "== 40 % upgrading: x");
});

test("the path of the log is parsed from the first line of an upgrade", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
  fc.assert(
    fc.property(name, line, (container, path) => {
      const start = formatUpgradeStart(container, "Debian 12 (bookworm)", `/${path}`);
      assert.equal(parseUpgradeLog(start), `/${path}`);
      assert.equal(parsePhaseLine(start), undefined);
    }),
  );
  assert.equal(
    formatUpgradeStart("web", "Debian 12", "/s/web.log"),
    "upgrading web to Debian 12; every line is in /s/web.log",
  );
});

test("output of programs is neither", () => {
  for (const output of ["Setting up libc6 ...", "== x % y", "==  5 % y", "see; every line is in /x", ""]) {
    assert.equal(parsePhaseLine(output), undefined, output);
    assert.equal(parseUpgradeLog(output), undefined, output);
  }
  assert.equal(parsePhaseLine("== 999 % y")?.percent, 100);
});
