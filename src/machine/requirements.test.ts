import assert from "node:assert/strict";
import { test } from "node:test";
import { checkUser } from "./requirements.ts";

test("root needs a word to run a machine, other users do not", () => {
  assert.throws(() => checkUser({ uid: 0, asRoot: false }), {
    code: "invalid",
    message: /would be root on this computer.*--as-root/,
  });
  checkUser({ uid: 0, asRoot: true });
  checkUser({ uid: 1000, asRoot: false });
});
