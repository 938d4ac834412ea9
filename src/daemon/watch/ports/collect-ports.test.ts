import assert from "node:assert/strict";
import { test } from "node:test";
import { collectPorts } from "./collect-ports.ts";

test("ports come sorted, each once", async () => {
  const { ports } = await collectPorts([[443, 80], [], [80, 22], [443]]);
  assert.deepEqual(ports, [22, 80, 443]);
});

test("others get their turn however many pieces there are", async () => {
  let turns = 0;
  const count = (): void => {
    turns++;
    waiting = setImmediate(count);
  };
  let waiting = setImmediate(count);
  function* pieces(): Generator<number[]> {
    for (let piece = 0; piece < 100; piece++) {
      for (const end = performance.now() + 1; performance.now() < end; );
      yield [piece];
    }
  }
  const { ports, work } = await collectPorts(pieces());
  clearImmediate(waiting);
  assert.equal(ports.length, 100);
  // A turn is two milliseconds, and each piece took one.
  assert.ok(turns >= 30, `${turns} turns`);
  assert.ok(work >= 100, `${work} ms`);
});

test("others get their turn between many who have few", async () => {
  let turns = 0;
  const count = (): void => {
    turns++;
    waiting = setImmediate(count);
  };
  let waiting = setImmediate(count);
  for (let container = 0; container < 20; container++) await collectPorts([[80]]);
  clearImmediate(waiting);
  assert.ok(turns >= 19, `${turns} turns`);
});
