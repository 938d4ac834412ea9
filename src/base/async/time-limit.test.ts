import assert from "node:assert/strict";
import { test } from "node:test";
import { TimeLimit } from "./time-limit.ts";

const late = () => new Error("late");

test("the reason comes from whichever is first, the time or an outer signal", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const outer = new AbortController();
  using timed = new TimeLimit(100, late, [outer.signal, undefined]);
  t.mock.timers.tick(99);
  assert.equal(timed.signal.aborted, false);
  t.mock.timers.tick(1);
  assert.equal(timed.signal.reason.message, "late");
  using aborted = new TimeLimit(100, late, [outer.signal]);
  outer.abort(new Error("enough"));
  assert.equal(aborted.signal.reason.message, "enough");
  assert.equal(timed.signal.reason.message, "late");
  using stillborn = new TimeLimit(100, late, [outer.signal]);
  assert.equal(stillborn.signal.reason.message, "enough");
});

test("a disposed limit never aborts", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const outer = new AbortController();
  const limit = new TimeLimit(100, late, [outer.signal]);
  limit[Symbol.dispose]();
  t.mock.timers.tick(1000);
  outer.abort();
  assert.equal(limit.signal.aborted, false);
});
