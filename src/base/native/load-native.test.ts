import assert from "node:assert/strict";
import { test } from "node:test";
import { needsLibc } from "./load-native.ts";

test("what cannot be loaded is said with what to do", async () => {
  await assert.rejects(
    needsLibc(() => import(`/nowhere/${"koffi"}.js`)),
    /cannot call the C library by koffi \(Cannot find module .*scripts\/prepare.*socat/,
  );
  assert.equal(await needsLibc(async () => 1), 1);
});
