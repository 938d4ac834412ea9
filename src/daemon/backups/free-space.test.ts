import assert from "node:assert/strict";
import { test } from "node:test";
import { findShortage, type StorageTarget } from "./free-space.ts";

const pool: StorageTarget = { name: "pool", available: 100, holds: ["container"] };
const disk: StorageTarget = { name: "disk", available: 150, holds: ["image", "container"] };

test("every target must be large enough, and the one that lacks most is named", () => {
  assert.equal(findShortage([pool, disk], { image: 50, container: 100 }), undefined);
  const inPool = findShortage([pool, disk], { image: 0, container: 101 });
  assert.deepEqual([inPool?.target.name, inPool?.required], ["pool", 101]);
  const onDisk = findShortage([pool, disk], { image: 51, container: 100 });
  assert.deepEqual([onDisk?.target.name, onDisk?.required], ["disk", 151]);
  assert.equal(findShortage([pool, disk], { image: 60, container: 101 })?.target.name, "disk");
});
