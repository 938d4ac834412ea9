import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

test("nothing is told before it is known", () => {
  const pace = new Pace();
  assert.equal(pace.rate, undefined);
  assert.equal(pace.left, undefined);
  pace.learn(0, 0, 0);
  pace.learn(1_000, 10, 1_000);
  assert.equal(pace.rate, 1_000);
  assert.equal(pace.left, undefined);
});

test("the rate is that of late, the time left that of the whole", () => {
  const pace = new Pace();
  for (let second = 0; second <= 10; second++) pace.learn(second * 1_000, second * 5, second * 1_000);
  assert.equal(pace.rate, 1_000);
  assert.equal(pace.left, 10_000);
  for (let second = 11; second <= 20; second++) pace.learn(second * 1_000, 50, 10_000);
  assert.equal(pace.rate, 0);
  assert.equal(pace.left, 20_000);
});

test("a new phase is learned anew", () => {
  const pace = new Pace();
  pace.learn(0, 0, 0);
  pace.learn(5_000, 90, 9_000);
  pace.learn(6_000, 0, 0);
  assert.equal(pace.left, undefined);
  pace.learn(9_000, 50, 3_000);
  assert.equal(pace.left, 3_000);
});
