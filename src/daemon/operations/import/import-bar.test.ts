import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { ContainerImportProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { ImportBar } from "./import-bar.ts";

/** What ChromeOS's host shows, in percent. */
function shown(bar: ImportBar): number {
  const { status, progressPercent } = bar.read();
  assert.ok(progressPercent <= 100);
  return (status === Status.IMPORTING_UPLOAD ? 0 : 50) + Math.floor(progressPercent / 2);
}

test("an import in one pass fills the whole bar", () => {
  const bar = new ImportBar(new ManualClock());
  assert.deepEqual(bar.read(), {
    status: Status.IMPORTING_UPLOAD,
    progressPercent: 0,
    progressSpeed: 0n,
  });
  bar.begin(1);
  const seen = [0, 1, 25, 49, 50, 75, 99, 100].map((percent) => {
    bar.moveBytes(percent, 100);
    return shown(bar);
  });
  assert.deepEqual(seen, [0, 1, 25, 49, 50, 75, 99, 100]);
});

test("an upload fills the first half, and the engine's unpacking the second with its own percentages", () => {
  const bar = new ImportBar(new ManualClock());
  bar.begin(1 / 2);
  for (const [bytes, percent] of [
    [0, 0],
    [290, 29],
    [999, 99],
  ] as const) {
    bar.moveBytes(bytes, 1000);
    const { status, progressPercent } = bar.read();
    assert.deepEqual([status, progressPercent], [Status.IMPORTING_UPLOAD, percent]);
  }
  bar.moveBytes(1000, 1000);
  bar.begin(1);
  for (let percent = 0; percent <= 100; percent++) {
    bar.move(percent, 100, 5);
    assert.deepEqual(bar.read(), {
      status: Status.IMPORTING_UNPACK,
      progressPercent: percent,
      progressSpeed: 5n,
    });
  }
});

test("the bar never decreases, whatever parts follow one another", () => {
  const part = fc.record({
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    total: fc.nat(),
    moves: fc.array(fc.nat()),
  });
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const bar = new ImportBar(new ManualClock());
      let last = 0;
      for (const { share, total, moves } of parts) {
        bar.begin(share);
        for (const done of moves) {
          bar.moveBytes(done, total);
          assert.ok(shown(bar) >= last && shown(bar) <= 100);
          last = shown(bar);
        }
      }
    }),
  );
});

test("the speed is the average of the part", () => {
  const clock = new ManualClock();
  const bar = new ImportBar(clock);
  clock.advance(5_000);
  bar.begin(1);
  clock.advance(2_000);
  bar.moveBytes(3_000, 10_000);
  assert.equal(bar.read().progressSpeed, 1_500n);
});
