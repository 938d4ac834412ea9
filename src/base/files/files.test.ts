import assert from "node:assert/strict";
import { test } from "node:test";
import { textIfReadable, textOfFile } from "./files.ts";

test("a missing file has no text; a file that cannot be read is an error", async () => {
  assert.equal(await textOfFile("/nowhere/at-all"), undefined);
  await assert.rejects(textOfFile("/"), { code: "EISDIR" });
  assert.match((await textOfFile("/proc/self/comm")) ?? "", /./);
});

test("an optional text is empty for any failure", async () => {
  for (const path of ["/nowhere/at-all", "/"]) assert.equal(await textIfReadable(path), "");
  assert.match(await textIfReadable("/proc/self/comm", "latin1"), /./);
});
