import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { TerminalProgress } from "./terminal-progress.ts";

/** Moves the clock, and waits until the display has handled it. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  await clock.sleeping();
  clock.advance(milliseconds);
  await clock.sleeping();
}

test("the line is redrawn every second and removed at the end", async () => {
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  {
    await using progress = new TerminalProgress("creating web", io, { columns: 60 });
    progress.update("fetching the image", 50);
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
