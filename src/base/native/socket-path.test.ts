import assert from "node:assert/strict";
import { closeSync, openSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { listeningSocket } from "../../../test/support/notify-receiver.ts";
import { listeningUnixPath } from "./socket-path.ts";

test("a Unix socket that listens has its own path, whatever names other sockets have", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "socket-path-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "s é.sock");
  using socket = listeningSocket(path);
  assert.equal(listeningUnixPath(socket.fd), path);
  rmSync(path);
  assert.equal(listeningUnixPath(socket.fd), path);
});

test("nothing else has a path: a file, a TCP socket, a closed descriptor", async () => {
  const tcp = createServer();
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  const { fd } = (tcp as unknown as { _handle: { fd: number } })._handle;
  assert.equal(listeningUnixPath(fd), undefined);
  await new Promise((resolve) => tcp.close(resolve));
  const file = openSync("/dev/null", "r");
  assert.equal(listeningUnixPath(file), undefined);
  closeSync(file);
  assert.equal(listeningUnixPath(1_000_000), undefined);
});
