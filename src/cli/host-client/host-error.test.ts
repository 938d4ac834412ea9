import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";
import { run } from "../program.ts";

test("an unreachable guest or host is exit code 4, and the message says what to do", async (t) => {
  const at = await CommandLineFixture.open(t);
  await at.guest.close();
  const guest = await at.output("list");
  assert.equal(guest.code, 4);
  assert.match(
    guest.stderr,
    /cannot reach guest vm at unix:\S+: nothing listens there; tremplin doctor has advice$/m,
  );
  await at.closeHost();
  for (const line of ["list", "status", "start web", "watch"]) {
    const { code, stderr } = await at.output(line);
    assert.equal(code, 4);
    assert.match(stderr, /nothing listens at unix:.*tremplin up/);
  }
});

const LINES = [
  ..."list|status|watch|ports|debug|usb|info web|user web|start web|stop web|delete web --yes".split("|"),
  ..."create web --image-server https://x --alias y|export web|import web --shared web.tar".split("|"),
  ..."timezone Europe/Paris|upgrade web --to bookworm".split("|"),
];

test("another program at the address of the host is exit code 4 for each command", async () => {
  const stranger = createServer((socket) => {
    // Without this a client that goes would leave its half of the connection.
    socket.resume().once("end", () => socket.destroy());
    socket.on("error", () => undefined).write("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
  }).listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const address = `tcp:127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  for (const line of LINES) {
    const io = new RecordedIo();
    assert.equal(await run([...line.split(" "), "--host", address], io), 4, `${line}: ${io.stderr}`);
    assert.match(io.stderr, /^tremplin: what listens at tcp:\S+ is no Tremplin host: .*--host/m, line);
    assert.doesNotMatch(io.stderr, /Protocol error|\n {4}at /, line);
  }
  stranger.close();
});

test("a daemon at the address of the host is no host", async (t) => {
  const at = await CommandLineFixture.open(t);
  const io = new RecordedIo();
  assert.equal(await run(["status", "--host", `unix:${at.folder}/vm.sock`], io), 4);
  assert.match(io.stderr, /is no Tremplin host: it has no service tremplin\.v1\.Host/);
});

test("a guest with the original contract alone is recognised", async (t) => {
  const at = await CommandLineFixture.open(t, true);
  const { code, stderr } = await at.output("list");
  assert.equal(code, 1);
  assert.match(stderr, /supports only the original contract/);
  const status = await at.output("status");
  assert.equal(status.code, 0);
  assert.match(status.stdout, /supports only the original contract/);
  assert.equal((await at.output("create web --image-server https://x --alias y")).stdout, "web: created\n");
});
