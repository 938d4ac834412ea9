import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { checkProgram, programFiles } from "./boot-files.ts";

test("a program without the runtime for the machine, as that of the npm package, says which one has it", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "program-"));
  t.after(() => rm(root, { recursive: true }));
  for (const part of programFiles) {
    await assert.rejects(checkProgram(root), {
      code: "failed",
      message: new RegExp(`no ${part}, .*Debian package`),
    });
    await mkdir(dirname(join(root, part)), { recursive: true });
    await writeFile(join(root, part), "");
  }
  await checkProgram(root);
});
