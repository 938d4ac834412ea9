import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { syncIfSupported } from "./sync.ts";

test("a folder that can be synced is, and one of a file system that cannot is no failure", async () => {
  for (const [path, isSynced] of [
    [tmpdir(), true],
    ["/proc/self", false],
  ] as const) {
    await using folder = await open(path, "r");
    assert.equal(await syncIfSupported(folder), isSynced, path);
  }
});
