import assert from "node:assert/strict";
import { test } from "node:test";
import { vsockError } from "./vsock-error.ts";

test("the message has the kernel's error and what to do", () => {
  const nobody = vsockError("cannot reach vsock:2:7778", "connect", "ECONNRESET");
  assert.equal(nobody.message, "cannot reach vsock:2:7778: connect says ECONNRESET: nobody listens there");
  assert.equal(nobody.code, "unavailable");
  assert.match(vsockError("cannot listen on x", "socket", "EAFNOSUPPORT").message, /modprobe/);
  assert.equal(vsockError("cannot listen on x", "bind", "EMFILE").code, "failed");
});
