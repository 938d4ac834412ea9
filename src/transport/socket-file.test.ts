import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { listenOnSocketFile } from "./socket-file.ts";

const group = process.getgid?.() ?? 0;

async function listening(t: TestContext, path: string, forGroup?: number): Promise<void> {
  const server = createServer();
  await listenOnSocketFile(server, path, forGroup);
  t.after(() => new Promise((resolve) => server.close(resolve)));
}

async function modes(folder: string): Promise<string[]> {
  const paths = [folder, join(folder, "s.sock")];
  return await Promise.all(paths.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
}

test("a socket is its owner's alone, or a group's too, and so is a folder that is made for it", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "socket-file-"));
  t.after(() => rm(root, { recursive: true }));
  await listening(t, join(root, "own/s.sock"));
  assert.deepEqual(await modes(join(root, "own")), ["700", "600"]);
  await listening(t, join(root, "shared/s.sock"), group);
  assert.deepEqual(await modes(join(root, "shared")), ["750", "660"]);
  assert.equal((await stat(join(root, "shared/s.sock"))).gid, group);
});

test("a folder that was there is not opened to the group", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "socket-file-"));
  t.after(() => rm(root, { recursive: true }));
  await listening(t, join(root, "s.sock"), group);
  assert.deepEqual(await modes(root), ["700", "660"]);
});
