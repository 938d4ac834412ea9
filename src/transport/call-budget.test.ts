import assert from "node:assert/strict";
import { test } from "node:test";
import { CallBudget } from "./call-budget.ts";

const limits = { bytesOfCall: 10, bytesOfCaller: 100, bytesOfServer: 200 };
const never = (): void => assert.fail("nobody needs its place");

test("each call counts as much as the least, and more while it keeps more; its end frees all", () => {
  const budget = new CallBudget(limits);
  const call = budget.begin("a", never);
  assert.equal(budget.bytes, 10);
  assert.equal(call?.hold(60), true);
  assert.equal(budget.bytes, 60);
  assert.equal(call?.hold(3), true);
  assert.equal(budget.bytes, 10);
  call?.[Symbol.dispose]();
  call?.[Symbol.dispose]();
  assert.equal(budget.bytes, 0);
});

test("a message for which a caller has no room is refused; others are not", () => {
  const budget = new CallBudget(limits);
  const calls = Array.from({ length: 10 }, () => budget.begin("a", never));
  assert.equal(calls[0]?.hold(11), false);
  assert.equal(budget.bytes, 100);
  assert.equal(budget.begin("b", never)?.hold(50), true);
  calls[0]?.[Symbol.dispose]();
  assert.equal(calls[1]?.hold(20), true);
  assert.match(budget.sentence("guest a"), /requests of guest a have no more room here/);
});

test("a new call of a caller that has used up its part takes the place of its largest, then of its oldest", () => {
  const budget = new CallBudget(limits);
  const ended: string[] = [];
  const call = (name: string) => budget.begin("a", () => void ended.push(name));
  call("first");
  call("second");
  call("large")?.hold(80);
  assert.deepEqual(ended, []);
  for (let count = 0; count < 8; count++) call(`small ${count}`);
  assert.deepEqual(ended, ["large"]);
  call("last");
  assert.deepEqual(ended, ["large", "first"]);
  assert.equal(budget.bytes, 100);
});

test("callers that have the same give up a call of their own for a new one, and the most is not exceeded", () => {
  const budget = new CallBudget({ ...limits, bytesOfServer: 40 });
  const ended: string[] = [];
  for (const name of ["a1", "b1", "a2", "b2"]) budget.begin(name.charAt(0), () => void ended.push(name));
  assert.ok(budget.begin("a", never));
  assert.deepEqual(ended, ["a1"]);
  assert.equal(budget.bytes, 40);
});

test("when all is used up, the largest call of who has the most gives way, and the most is not exceeded", () => {
  const budget = new CallBudget(limits);
  const ended: string[] = [];
  const call = (owner: string, name: string) => budget.begin(owner, () => void ended.push(name));
  call("a", "a1")?.hold(30);
  call("a", "a2")?.hold(60);
  call("b", "b1")?.hold(80);
  const third = call("c", "c1");
  assert.equal(third?.hold(50), true);
  assert.deepEqual(ended, ["a2"]);
  assert.equal(budget.bytes, 30 + 80 + 50);
  assert.equal(third?.hold(100), false, "it would have the most itself");
  assert.equal(budget.bytes, 160);
});
