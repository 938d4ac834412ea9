import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { Tickets } from "./tickets.ts";

const rules = { lifetimeMs: 60_000, most: 2 };

test("a ticket leads once to what it was made for", () => {
  const tickets = new Tickets<string>(new ManualClock(), rules);
  const [one, other] = [tickets.create("one"), tickets.create("other")];
  assert.match(one, /^[\w-]{43}$/);
  assert.equal(tickets.redeem(one), "one");
  assert.equal(tickets.redeem(one), undefined);
  assert.equal(tickets.redeem("never made"), undefined);
  assert.equal(tickets.redeem(other), "other");
});

test("a ticket ends after its time, and the oldest gives way to many", () => {
  const clock = new ManualClock();
  const tickets = new Tickets<number>(clock, rules);
  const old = tickets.create(1);
  clock.advance(60_000);
  assert.equal(tickets.redeem(old), undefined);
  const all = [1, 2, 3].map((each) => tickets.create(each));
  assert.deepEqual(
    all.map((each) => tickets.redeem(each)),
    [undefined, 2, 3],
  );
});
