import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace, paceText } from "./pace.ts";

test("nothing is estimated before there are enough samples", () => {
  const pace = new Pace();
  assert.equal(pace.rate, undefined);
  assert.equal(pace.remaining, undefined);
  pace.record(0, 0, 0);
  pace.record(1_000, 10, 1_000);
  assert.equal(pace.rate, 1_000);
  assert.equal(pace.remaining, undefined);
});

test("the rate is of the last seconds, the remaining time of the whole phase", () => {
  const pace = new Pace();
  for (let second = 0; second <= 10; second++) pace.record(second * 1_000, second * 5, second * 1_000);
  assert.equal(pace.rate, 1_000);
  assert.equal(pace.remaining, 10_000);
  for (let second = 11; second <= 20; second++) pace.record(second * 1_000, 50, 10_000);
  assert.equal(pace.rate, 0);
  assert.equal(pace.remaining, 20_000);
});

test("a new phase starts the estimate again", () => {
  const pace = new Pace();
  pace.record(0, 0, 0);
  pace.record(5_000, 90, 9_000);
  pace.record(6_000, 0, 0);
  assert.equal(pace.remaining, undefined);
  pace.record(9_000, 50, 3_000);
  assert.equal(pace.remaining, 3_000);
});

test("only what is known is in the text", () => {
  assert.equal(paceText({ rate: undefined, remaining: undefined }), "");
  assert.equal(paceText({ rate: 2_048, remaining: undefined }), "2 KiB/s");
  assert.equal(paceText({ rate: 2_048, remaining: 65_000 }), "2 KiB/s, 1:05 left");
});
