import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { LineProgress } from "./line-progress.ts";

/** Moves the clock, and waits until the display has handled it. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  await clock.sleeping();
  clock.advance(milliseconds);
  await clock.sleeping();
}

test("one line for each message and each ten percent, none for a repeated message", async () => {
  const io = new RecordedIo({ clock: new ManualClock() });
  await using progress = new LineProgress("creating web", io);
  for (let percent = 0; percent <= 25; percent++) progress.update("fetching", percent);
  progress.update("at work");
  progress.update("at work");
  assert.deepEqual(io.stderr.split("\n"), [
    "creating web",
    "creating web: fetching 0 %",
    "creating web: fetching 10 %",
    "creating web: fetching 20 %",
    "creating web: at work",
    "",
  ]);
});

test("one line every 30 s, with the age of the last sign of life", async () => {
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  await using progress = new LineProgress("creating web", io);
  progress.update("at work");
  await pass(clock, 30_000);
  progress.heartbeat();
  // The time is set, as after a sleep of the machine: nothing took longer.
  clock.jump(86_400_000);
  await pass(clock, 30_000);
  assert.deepEqual(io.stderr.split("\n").slice(2), [
    "still creating web, at work, 30 s, last sign of life 30 s ago",
    "still creating web, at work, 1:00, last sign of life 30 s ago",
    "",
  ]);
});

test("the reason of a stall is printed once, and is no sign of life", async () => {
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  await using progress = new LineProgress("creating web", io);
  progress.update("fetching", 50);
  progress.stalled("no answer");
  progress.stalled("no answer");
  await pass(clock, 30_000);
  progress.heartbeat();
  await pass(clock, 30_000);
  assert.deepEqual(io.stderr.split("\n").slice(2), [
    "creating web: no answer",
    "still creating web, no answer, 30 s, last sign of life 30 s ago",
    "still creating web, fetching, 1:00, last sign of life 30 s ago",
    "",
  ]);
});
