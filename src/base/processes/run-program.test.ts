import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram } from "./run-program.ts";

test("a program's output is returned; a failure contains its standard error", async () => {
  assert.equal(await runProgram("sh", ["-c", "echo hello; echo ignored >&2"]), "hello\n");
  await assert.rejects(runProgram("sh", ["-c", "echo no such disk >&2; exit 3"]), /no such disk/);
  await assert.rejects(runProgram("/nowhere/at-all", []), { code: "ENOENT" });
  await assert.rejects(runProgram("sleep", ["900"], { timeoutMs: 20 }), { killed: true });
});
