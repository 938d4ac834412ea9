import assert from "node:assert/strict";
import { test } from "node:test";
import { cookiesNamed } from "./request-check.ts";

test("a few cookies of a name are read, and of a crowd none", () => {
  const header = (count: number): string => Array.from({ length: count }, (_, at) => `a=${at}`).join("; ");
  assert.deepEqual(cookiesNamed("a", `b=9; ${header(4)}`), ["0", "1", "2", "3"]);
  assert.deepEqual(cookiesNamed("a", header(5)), []);
});
