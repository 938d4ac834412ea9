import assert from "node:assert/strict";
import { test } from "node:test";
import { textOfFile } from "./text-of-file.ts";

test("a file that is missing has no text; one that cannot be read is an error", async () => {
  assert.equal(await textOfFile("/nowhere/at-all"), undefined);
  await assert.rejects(textOfFile("/"), { code: "EISDIR" });
  assert.match((await textOfFile("/proc/self/comm")) ?? "", /./);
});
