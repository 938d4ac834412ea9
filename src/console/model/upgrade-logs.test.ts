import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPhaseLine, formatUpgradeStart } from "../../base/upgrade-lines.ts";
import { UpgradeLogs } from "./upgrade-logs.ts";

const start = formatUpgradeStart("web", "Debian 13", "/state/upgrades/web.log");

test("the lines of the newest upgrade are in their order, however they came", () => {
  const logs = new UpgradeLogs();
  logs.add("web", { sequence: 9n, operation: "b", lines: ["Setting up libc6"] });
  for (const again of [1, 2]) {
    logs.add("web", { sequence: 1n, operation: "a", lines: [start, "old"] });
    logs.add("web", {
      sequence: 7n,
      operation: "b",
      lines: [start, formatPhaseLine({ percent: 5, phase: "looking" })],
    });
    assert.deepEqual(logs.linesOf("web"), [start, "5 % looking", "Setting up libc6"], `${again}`);
  }
});

test("other operations that report by the same notices are no upgrades", () => {
  const logs = new UpgradeLogs();
  logs.add("web", { sequence: 1n, operation: "a", lines: ["taking a snapshot"] });
  assert.deepEqual(logs.linesOf("web"), []);
  assert.deepEqual(logs.linesOf("other"), []);
  logs.add("web", { sequence: 2n, operation: "b", lines: [start] });
  logs.add("web", { sequence: 3n, operation: "c", lines: ["taking a snapshot"] });
  assert.deepEqual(logs.linesOf("web"), [start]);
});

test("what a container wrote cannot change how the log is shown", () => {
  const logs = new UpgradeLogs();
  logs.add("web", { sequence: 1n, operation: "a", lines: [start, "\u001b[31mred\u202e"] });
  assert.deepEqual(logs.linesOf("web"), [start, "[31mred"]);
});

test("only so many are kept", () => {
  const logs = new UpgradeLogs();
  for (let sequence = 1n; sequence <= 3_000n; sequence++)
    logs.add("web", { sequence, operation: "a", lines: [start] });
  assert.equal(logs.linesOf("web").length, 1);
  for (let sequence = 4_000n; sequence <= 9_000n; sequence++)
    logs.add("other", { sequence, operation: "a", lines: [`${sequence}`] });
  logs.add("other", { sequence: 8_990n, operation: "a", lines: [start] });
  assert.deepEqual(logs.linesOf("other").length, 11);
});
