import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
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

test("what is reported as required is never below what is available", () => {
  const size = fc.double({ min: 0, max: 2 ** 53, noNaN: true });
  const holds = fc.subarray<"image" | "container">(["image", "container"]);
  const target = fc.record({ name: fc.constant("pool"), available: size, holds });
  fc.assert(
    fc.property(fc.array(target), size, size, (targets, image, container) => {
      const lack = findShortage(targets, { image, container });
      if (!lack) return;
      const { availableBytes, requiredBytes } = lack;
      assert.ok(requiredBytes >= availableBytes && availableBytes >= 0n);
    }),
  );
});
