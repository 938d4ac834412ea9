import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { openSharedFile } from "./shared-file.ts";

async function folders(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "shared-"));
  t.after(() => rm(folder, { recursive: true }));
  const shared = join(folder, "shared");
  await mkdir(shared);
  return { folder, shared };
}

test("a file is opened by its path and by a link within the shared folder", async (t) => {
  const { shared } = await folders(t);
  await writeFile(join(shared, "file"), "text");
  await symlink("file", join(shared, "link"));
  for (const name of ["file", "link"]) {
    await using file = await openSharedFile(shared, join(shared, name));
    assert.equal(await file.readFile("utf8"), "text");
  }
});

test("what lies elsewhere, and what is no file, is refused without being opened", {
  timeout: 20_000,
}, async (t) => {
  const { folder, shared } = await folders(t);
  await writeFile(join(folder, "secret"), "secret");
  await symlink(join(folder, "secret"), join(shared, "secret"));
  await symlink("/dev/zero", join(shared, "device"));
  await mkdir(join(shared, "folder"));
  // Opening it would wait for a writer.
  await promisify(execFile)("mkfifo", [join(shared, "pipe")]);
  const refused: [name: string, reason: RegExp][] = [
    ["secret", /does not lie under the shared folder/],
    ["device", /does not lie under the shared folder/],
    ["../secret", /does not lie under the shared folder/],
    ["folder", /is not a regular file/],
    ["pipe", /is not a regular file/],
    ["nothing", /cannot open .*: there is no such file or folder/],
  ];
  for (const [name, reason] of refused) {
    await assert.rejects(openSharedFile(shared, `${shared}/${name}`), reason);
  }
  assert.equal(await readFile(join(folder, "secret"), "utf8"), "secret");
});
