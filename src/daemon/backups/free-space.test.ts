import assert from "node:assert/strict";
import { test } from "node:test";
import { type StorageTarget, shortage } from "./free-space.ts";

const pool: StorageTarget = { name: "pool", available: 100, holds: ["container"] };
const disk: StorageTarget = { name: "disk", available: 150, holds: ["image", "container"] };

test("every room must hold what is put there, and the one that lacks most is named", () => {
  assert.equal(shortage([pool, disk], { image: 50, container: 100 }), undefined);
  const inPool = shortage([pool, disk], { image: 0, container: 101 });
  assert.deepEqual([inPool?.room.name, inPool?.required], ["pool", 101]);
  const onDisk = shortage([pool, disk], { image: 51, container: 100 });
  assert.deepEqual([onDisk?.room.name, onDisk?.required], ["disk", 151]);
  assert.equal(shortage([pool, disk], { image: 60, container: 101 })?.room.name, "disk");
});
