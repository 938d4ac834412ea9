import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { openProgress } from "./open-progress.ts";

/** Moves the clock, and waits until the display has handled it. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  await clock.sleeping();
  clock.advance(milliseconds);
  await clock.sleeping();
}

/** The parts of what was written between two erasures. */
function drawn(io: RecordedIo): string[] {
  return io.stderr.split("\r\x1b[J");
}

test("the line is redrawn every second and removed at the end", async () => {
  const clock = new ManualClock();
  const io = new RecordedIo({ clock, columns: 60 });
  {
    await using progress = openProgress("creating web", io, { json: false });
    progress.update("fetching the image", 50);
    for (let second = 0; second < 6; second++) await pass(clock, 1_000);
  }
  assert.equal(drawn(io)[1], "creating web  [##########          ] 50 %  0 s  fetching th");
  assert.equal(drawn(io).at(-2), "creating web  [##########          ] 50 %  6 s  last sign o");
  assert.equal(drawn(io).at(-1), "");
  assert.ok(drawn(io).every((line) => line.length < 60));
  assert.equal(io.stderr.includes("\n"), false);
});

test("a narrow terminal has no bar, and wide characters are not cut in two", async () => {
  const io = new RecordedIo({ clock: new ManualClock(), columns: 40 });
  await using progress = openProgress("creating web", io, { json: false });
  progress.update("日本語".repeat(10), 50);
  assert.equal(drawn(io).at(-1), `creating web  50 %  0 s  ${"日本語日本語日"}`);
});

test("results and messages are above the line, never behind it", async () => {
  const io = new RecordedIo({ clock: new ManualClock(), columns: 60 });
  await using _progress = openProgress("checking", io, { json: false });
  io.err("from Debian 12\n");
  assert.equal(io.stderr, "checking  0 s\r\x1b[Jfrom Debian 12\nchecking  0 s");
});
