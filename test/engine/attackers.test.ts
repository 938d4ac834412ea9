import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import { Host } from "../../src/contract/tremplin/v1/host_pb.js";
import { Tremplin, TremplinListener } from "../../src/contract/tremplin_pb.js";
import { type Address, formatAddress } from "../../src/transport/address.ts";
import { dial } from "../../src/transport/client.ts";
import { eventually } from "../support/eventually.ts";
import { hasCode } from "../support/host-fixture.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { MemoryGuest } from "../support/memory-guest.ts";
import { repository } from "../support/repository.ts";
import { execute } from "../support/system-state.ts";

const NOBODY = 65534;
const program = join(repository, "bin/tremplin");

let folder: KeptFolder;
let guest: MemoryGuest;
let host: ChildProcess;
let token: string;
let tcp: { readonly kind: "tcp"; readonly host: string; readonly port: number };
let log = "";

const path = (name: string): string => join(folder.path, name);
const socket = (name: string): Address => ({ kind: "unix", path: path(`${name}.sock`) });

before(async () => {
  folder = await keptFolder();
  token = randomBytes(32).toString("hex");
  await writeFile(path("token"), `${token}\n`, { mode: 0o600 });
  guest = await MemoryGuest.open({ address: socket("guest"), host: socket("listener") });
  guest.containers.set("penguin", "running");
  const args = ["host", "--listen", formatAddress(socket("host")), "--listen", "tcp:127.0.0.1:0"];
  args.push("--token-file", path("token"), "--listener", formatAddress(socket("listener")));
  args.push("--guest", `vm=${formatAddress(socket("guest"))}`, "--state", path("state"));
  host = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  host.stderr?.on("data", (text) => {
    log += text;
  });
  const listening = await eventually(
    "the host",
    async () => /"listening"|"the host is listening"/.exec(log) ?? undefined,
  );
  assert.ok(listening);
  tcp = { kind: "tcp", host: "127.0.0.1", port: Number(/tcp:127\.0\.0\.1:(\d+)/.exec(log)?.[1]) };
});
after(async () => {
  const exited = once(host, "exit");
  host.kill();
  await exited;
  await guest[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Runs JavaScript as an ordinary user of this machine; answers what it printed. */
async function asNobody(script: string): Promise<string> {
  const user = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  const { stdout } = await execute("setpriv", [...user, process.execPath, "-e", script]);
  return stdout.trim();
}

test("an ordinary user opens no socket and reads no token, also where the folder is open to all", async () => {
  // The worst case: the default folder is 0700 itself.
  await chmod(folder.path, 0o777);
  for (const name of ["host", "listener"]) {
    const text = await asNobody(
      `require("node:net").connect(${JSON.stringify(path(`${name}.sock`))}).on("connect", () => console.log("in")).on("error", (error) => console.log(error.code))`,
    );
    assert.equal(text, "EACCES", name);
  }
  const read = await asNobody(
    `try { require("node:fs").readFileSync(${JSON.stringify(path("token"))}); console.log("in") } catch (error) { console.log(error.code) }`,
  );
  assert.equal(read, "EACCES");
  await chmod(folder.path, 0o700);
});

test("an ordinary user gets nothing on loopback without the token, and root with it does", async () => {
  using stranger = dial(tcp);
  await assert.rejects(
    createClient(Host, stranger.transport).listGuests({}),
    hasCode(Code.Unauthenticated, /served only with the right token: give its file with --token-file/),
  );
  const list = ["list", "--host", formatAddress(tcp)];
  await assert.rejects(execute(program, list), /served only with the right token/);
  assert.match((await execute(program, [...list, "--token-file", path("token")])).stdout, /penguin/);
  const env = { ...process.env, TREMPLIN_TOKEN_FILE: path("token") };
  assert.match((await execute(program, list, { env })).stdout, /penguin/);
  await chmod(path("token"), 0o644);
  await assert.rejects(
    execute(program, list, { env }),
    /other users may read or change the file; run chmod 600/,
  );
  await chmod(path("token"), 0o600);
});

test("a guest behind a relay to the listener gets no shell, no list and no debug information", async () => {
  // As socat VSOCK-LISTEN:7778,fork UNIX-CONNECT:/run/tremplin/listener.sock does.
  const relay = createServer((inside) => {
    const outside = connect({ path: path("listener.sock") });
    inside.pipe(outside).pipe(inside);
    for (const end of [inside, outside]) end.on("error", () => end.destroy());
  }).listen(path("relay.sock"));
  try {
    using connection = dial(socket("relay"));
    const { transport } = connection;
    const none = hasCode(Code.Unimplemented, /there is no such rpc here/);
    const shell = createClient(Guest, transport).shell(nothing());
    await assert.rejects(shell[Symbol.asyncIterator]().next(), none);
    await assert.rejects(createClient(Host, transport).listGuests({}), none);
    await assert.rejects(createClient(Tremplin, transport).getDebugInfo({}), none);
    const deleted = (headers: Record<string, string>) =>
      createClient(TremplinListener, transport).updateDeletionStatus(
        { containerName: "penguin", status: 1 },
        { headers },
      );
    // A container of the guest can open such a connection too, but does not know the id of the daemon.
    await assert.rejects(deleted({}), hasCode(Code.FailedPrecondition, /tremplin-daemon is missing/));
    const guessed = { "tremplin-daemon": "00000000-0000-4000-8000-000000000000" };
    await assert.rejects(deleted(guessed), hasCode(Code.FailedPrecondition, /is not the id of the daemon/));
    await eventually(
      "a line for each",
      async () => (log.match(/a notice was not acknowledged|a call was refused/g) ?? [])[4],
    );
    await deleted(guest.metadata);
  } finally {
    relay.close();
  }
  assert.ok(
    !JSON.stringify(await execute(program, ["debug", "--host", formatAddress(socket("host"))])).includes(
      guest.daemonId,
    ),
  );
});

test("a page of a web site gets nothing: not by DNS rebinding, not by a form, not with the token", async () => {
  const authorization = `Bearer ${token}`;
  const json = { "content-type": "application/json", authorization };
  const evil = `evil.example:${tcp.port}`;
  for (const [headers, status] of [
    [{ ...json, host: evil, origin: `http://${evil}` }, 403],
    [{ ...json, host: evil }, 421],
    [{ ...json, origin: "http://127.0.0.1" }, 403],
    [{ "content-type": "text/plain", authorization }, 415],
    [{ "content-type": "application/json" }, 401],
    [json, 200],
  ] as const) {
    assert.equal(await post({ host: "127.0.0.1", port: tcp.port }, headers), status, JSON.stringify(headers));
  }
  const local = { socketPath: path("host.sock") };
  assert.equal(await post(local, { "content-type": "application/json" }), 200);
  assert.equal(await post(local, { "content-type": "application/json", origin: "http://localhost" }), 403);
  assert.equal(await post(local, { "content-type": "text/plain" }), 415);
});

test("no command connects in clear to another machine, and no server starts that would", async () => {
  const tls = /will not connect to tcp:192\.0\.2\.1:9 without TLS/;
  for (const args of [
    ["list", "--host", "tcp:192.0.2.1:9"],
    ["doctor", "--host", "tcp:192.0.2.1:9"],
    [
      "host",
      "--guest",
      "x=tcp:192.0.2.1:9",
      "--listen",
      formatAddress(socket("x")),
      "--listener",
      formatAddress(socket("y")),
      "--state",
      path("x"),
    ],
    [
      "daemon",
      "--host",
      "tcp:192.0.2.1:9",
      "--state",
      path("daemon"),
      "--listen",
      formatAddress(socket("z")),
    ],
  ]) {
    await assert.rejects(execute(program, args), tls, args.join(" "));
  }
  await writeFile(path("site.yaml"), "name: test\ncrashListener: tcp:192.0.2.1:9\n");
  const site = ["--site", path("site.yaml"), "--state", path("daemon"), "--shared", path("shared")];
  await assert.rejects(execute(program, ["daemon", ...site, "--listen", formatAddress(socket("z"))]), tls);
  const env = { ...process.env, TREMPLIN_HOST: "tcp:192.0.2.1:9" };
  await assert.rejects(execute(program, ["status"], { env }), tls);
  await assert.rejects(execute(program, ["list", "--host", "tcp:localhost.example.org:9"]), /without TLS/);
});

test("thousands of connections keep nobody out: of a stranger without a token, or of a client with calls that last", async () => {
  const opened: Socket[] = [];
  const many = async (count: number, open: () => Socket, bytes: string, event: string): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const each = open();
      each.on("error", () => undefined).write(bytes);
      opened.push(each);
      await once(each, event);
      each.resume();
    }
  };
  const list = ["list", "--host", formatAddress(tcp), "--token-file", path("token")];
  const watch = `POST /grpc.health.v1.Health/Watch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/grpc-web\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0`;
  try {
    await many(700, () => connect(tcp.port, tcp.host), "POST / HTTP/1.1\r\n", "connect");
    assert.match((await execute(program, list)).stdout, /penguin/);
    assert.ok(opened.filter((each) => !each.destroyed).length <= 512);
    await many(1_700, () => connect({ path: path("host.sock") }), watch, "data");
    const { stdout } = await execute(program, ["list", "--host", formatAddress(socket("host"))]);
    assert.match(stdout, /penguin/);
    assert.match(log, /"caller":"loopback".*closed a connection to make room for another/);
  } finally {
    for (const each of opened) each.destroy();
  }
});

async function post(to: object, headers: Record<string, string>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const where = "/tremplin.v1.Host/ListGuests";
  const asked = request({ ...to, method: "POST", path: where, headers, agent: false }, (answer) => {
    answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
  });
  asked.once("error", reject).end("{}");
  return await promise;
}

async function* nothing() {
  yield {};
}
