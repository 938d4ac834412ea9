import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { OneTimeTokens } from "./one-time-tokens.ts";

const rules = { lifetimeMs: 60_000, most: 2 };

test("a token leads once to what it was made for", () => {
  const tokens = new OneTimeTokens<string>(new ManualClock(), rules);
  const [one, other] = [tokens.create("one").token, tokens.create("other").token];
  assert.match(one, /^[\w-]{43}$/);
  assert.equal(tokens.redeem(one), "one");
  assert.equal(tokens.redeem(one), undefined);
  assert.equal(tokens.redeem("never made"), undefined);
  assert.equal(tokens.redeem(other), "other");
});

test("a token ends after its time, and the oldest gives way to many", () => {
  const clock = new ManualClock();
  const tokens = new OneTimeTokens<number>(clock, rules);
  const old = tokens.create(1).token;
  clock.advance(60_000);
  assert.equal(tokens.redeem(old), undefined);
  const all = [1, 2, 3].map((each) => tokens.create(each).token);
  assert.deepEqual(
    all.map((each) => tokens.redeem(each)),
    [undefined, 2, 3],
  );
});
