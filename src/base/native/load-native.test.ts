import assert from "node:assert/strict";
import { test } from "node:test";
import { loadNative } from "./load-native.ts";

test("what cannot be loaded is said with what to do", async () => {
  await assert.rejects(
    loadNative(() => import(`/nowhere/${"koffi"}.js`)),
    /cannot call the C library by koffi \(Cannot find module .*scripts\/prepare.*socat/,
  );
  assert.equal(await loadNative(async () => 1), 1);
});
