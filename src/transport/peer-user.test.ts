import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { peerUser } from "./peer-user.ts";

test("the user at the other end of a Unix socket is known, until it is closed", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "peer-user-"));
  t.after(() => rm(folder, { recursive: true }));
  const server = createServer().listen(join(folder, "socket"));
  t.after(() => void server.close());
  await once(server, "listening");
  const client = connect(join(folder, "socket"));
  const [socket] = (await once(server, "connection")) as [Socket];
  assert.equal(peerUser(socket), process.geteuid?.());
  socket.destroy();
  client.destroy();
  assert.equal(peerUser(socket), undefined);
});
