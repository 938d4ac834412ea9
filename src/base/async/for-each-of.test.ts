import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachOf } from "./for-each-of.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("every item is done once, and no more than the limit at the same time", async () => {
  const done: number[] = [];
  let busy = 0;
  let most = 0;
  await forEachOf([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++busy);
    await turn();
    busy--;
    done.push(item);
  });
  assert.deepEqual([done, most], [[1, 2, 3, 4, 5, 6, 7], 3]);
  await forEachOf([], 3, () => Promise.reject(new Error("there is nothing to do")));
});

test("nothing is begun after the first failure, which is the reason", async () => {
  const begun: number[] = [];
  const failing = forEachOf([1, 2, 3, 4, 5, 6], 2, async (item) => {
    begun.push(item);
    await turn();
    if (item === 2) throw new Error("two");
  });
  await assert.rejects(failing, /two/);
  await turn();
  assert.ok(begun.length < 5, begun.join());
});
