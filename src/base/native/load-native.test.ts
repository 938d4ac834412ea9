import assert from "node:assert/strict";
import { test } from "node:test";
import { loadNative } from "./load-native.ts";

test("the error of a missing library says what to do", async () => {
  await assert.rejects(
    loadNative(() => import(`/nowhere/${"koffi"}.js`)),
    /cannot call the C library by koffi \(Cannot find module .*scripts\/prepare.*socat/,
  );
  assert.equal(await loadNative(async () => 1), 1);
});
