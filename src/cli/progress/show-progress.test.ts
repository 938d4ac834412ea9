import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { showProgress } from "./show-progress.ts";

/** Moves the clock so that whoever waits on it has worked off what it woke for. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  await clock.sleeping();
  clock.advance(milliseconds);
  await clock.sleeping();
}

test("lines: one for each step and each ten percent, none for what was said already", async () => {
  const io = new RecordedIo({ clock: new ManualClock() });
  await using progress = showProgress("creating web", io);
  for (let percent = 0; percent <= 25; percent++) progress.step("fetching", percent);
  progress.step("at work");
  progress.step("at work");
  assert.deepEqual(io.stderr.split("\n"), [
    "creating web",
    "creating web: fetching 0 %",
    "creating web: fetching 10 %",
    "creating web: fetching 20 %",
    "creating web: at work",
    "",
  ]);
});

test("lines: silence is broken each half minute, with the age of the last sign of life", async () => {
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  await using progress = showProgress("creating web", io);
  progress.step("at work");
  await pass(clock, 30_000);
  progress.alive();
  await pass(clock, 30_000);
  assert.deepEqual(io.stderr.split("\n").slice(2), [
    "still creating web, at work, 30 s, last sign of life 30 s ago",
    "still creating web, at work, 1:00, last sign of life 30 s ago",
    "",
  ]);
});

test("lines: a doubt is told once, and is no sign of life", async () => {
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  await using progress = showProgress("creating web", io);
  progress.step("fetching", 50);
  progress.doubt("nobody answers");
  progress.doubt("nobody answers");
  await pass(clock, 30_000);
  progress.alive();
  await pass(clock, 30_000);
  assert.deepEqual(io.stderr.split("\n").slice(2), [
    "creating web: nobody answers",
    "still creating web, nobody answers, 30 s, last sign of life 30 s ago",
    "still creating web, fetching, 1:00, last sign of life 30 s ago",
    "",
  ]);
});

test("a terminal has one line that is drawn again each second and is gone at the end", async () => {
  const clock = new ManualClock();
  const io = new RecordedIo({ clock, columns: 60 });
  {
    await using progress = showProgress("creating web", io);
    progress.step("fetching the image", 50);
    for (let second = 0; second < 6; second++) await pass(clock, 1_000);
  }
  const drawn = io.stderr.split("\r\x1b[K");
  assert.equal(drawn[2], "creating web  [##########          ] 50 %  0 s  fetching th");
  assert.equal(drawn.at(-2), "creating web  [##########          ] 50 %  6 s  last sign o");
  assert.equal(drawn.at(-1), "");
  assert.equal(
    drawn.every((line) => line.length < 60),
    true,
  );
  assert.equal(io.stderr.includes("\n"), false);
});
