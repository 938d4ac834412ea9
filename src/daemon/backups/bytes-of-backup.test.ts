import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { test } from "node:test";
import { bytesOfBackup } from "./bytes-of-backup.ts";

test("a backup that cannot be read fails in a sentence", async () => {
  // The kernel refuses to read the memory of a process at address 0.
  await using file = await open("/proc/self/mem");
  const read = async (): Promise<void> => {
    for await (const _ of bytesOfBackup(file));
  };
  await assert.rejects(read(), { message: "cannot read the backup: its disk fails; see dmesg" });
});
