import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { openProgress } from "../progress/open-progress.ts";
import { recordOf } from "./process-record.ts";
import { waitForExit } from "./stop-process.ts";

test("a machine that slept, or whose time was set, waits as long for a process as before", async () => {
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  const record = recordOf(process.pid, []);
  assert.ok(record);
  await using progress = openProgress("stopping", io, { json: true });
  let isDone = false;
  const exited = waitForExit(record, { timeoutMs: 100, interrupted: "", progress, io }).finally(() => {
    isDone = true;
  });
  await clock.sleeping();
  clock.jump(8 * 3_600_000);
  for (let waited = 0; waited < 100; waited += 50) {
    clock.advance(50);
    await clock.sleeping();
    assert.equal(isDone, false);
  }
  clock.advance(50);
  assert.equal(await exited, false);
});
