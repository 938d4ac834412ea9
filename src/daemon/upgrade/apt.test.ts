import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseStatusLine } from "./apt.ts";

test("status lines are parsed", () => {
  assert.deepEqual(parseStatusLine("dlstatus:1:20.5:Retrieving file 1 of 5 (3s remaining)"), {
    kind: "download",
    percent: 20.5,
    message: "Retrieving file 1 of 5 (3s remaining)",
  });
  assert.deepEqual(parseStatusLine("pmstatus:libc6:45.4545:Unpacking libc6 (amd64)"), {
    kind: "install",
    percent: 45.4545,
    message: "Unpacking libc6 (amd64)",
  });
  assert.deepEqual(parseStatusLine("pmerror:tool:50:exit status 3"), {
    kind: "error",
    message: "tool: exit status 3",
  });
  assert.equal(parseStatusLine("pmconffile:/etc/x:50:'a' 'b' 1 1"), "nothing");
  assert.equal(parseStatusLine("pmstatus:x:1.2.3:y"), "nothing");
  for (const line of ["", "E: no", "pmstatus:x", "pmstatus:x:NaN:y", "status: pmstatus:x:1:y"]) {
    assert.equal(parseStatusLine(line), undefined, line);
  }
});

test("percentages are always from 0 to 100", () => {
  const number = fc.oneof(
    fc.double().map(String),
    fc.string(),
    fc.constantFrom("1e9", "-1", "101", "..", "0x1"),
  );
  fc.assert(
    fc.property(fc.constantFrom("dlstatus", "pmstatus"), fc.string(), number, (word, subject, percent) => {
      const status = parseStatusLine(`${word}:${subject}:${percent}:x`);
      if (typeof status === "object" && status.kind !== "error") {
        assert.ok(status.percent >= 0 && status.percent <= 100);
      }
    }),
  );
});
