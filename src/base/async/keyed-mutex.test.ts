import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyedMutex } from "./keyed-mutex.ts";

test("tasks of one key run one after another, tasks of other keys do not wait", async () => {
  const serial = new KeyedMutex();
  const first = Promise.withResolvers<void>();
  const order: string[] = [];
  const task = (name: string, until?: Promise<void>) => async () => {
    order.push(`${name} begins`);
    await until;
    order.push(`${name} ends`);
  };
  const runs = [serial.run("x", task("one", first.promise)), serial.run("x", task("two"))];
  await serial.run("y", task("three"));
  assert.deepEqual(order, ["one begins", "three begins", "three ends"]);
  first.resolve();
  await Promise.all(runs);
  assert.deepEqual(order.slice(3), ["one ends", "two begins", "two ends"]);
});

test("the next task runs after a failure", async () => {
  const serial = new KeyedMutex();
  const failing = serial.run("x", () => Promise.reject(new Error("no")));
  const next = serial.run("x", async () => "yes");
  await assert.rejects(failing, /no/);
  assert.equal(await next, "yes");
});

test("an abort removes a waiting task, and those after it still wait for the first", async () => {
  const serial = new KeyedMutex();
  const first = Promise.withResolvers<string>();
  const aborting = new AbortController();
  let ran = false;
  const one = serial.run("x", () => first.promise);
  const run = async () => {
    ran = true;
  };
  const two = serial.run("x", run, aborting.signal);
  const three = serial.run("x", async () => ran);
  aborting.abort(new Error("enough"));
  await assert.rejects(two, /enough/);
  first.resolve("done");
  assert.equal(await one, "done");
  assert.equal(await three, false);
});
