import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { canAccess } from "../../../src/base/files/files.ts";
import { GetContainerInfoResponse_Status as Info, Tremplin } from "../../../src/contract/tremplin_pb.js";
import { dial } from "../../../src/transport/client.ts";
import { crashListener } from "../../support/crash-listener.ts";
import { pidOfEngine } from "../../support/engine-pid.ts";
import { eventually } from "../../support/eventually.ts";
import { RecordingListener } from "../../support/listener.ts";
import { nameServer } from "../../support/name-server.ts";
import { repository } from "../../support/repository.ts";
import { execute, processesWith } from "../../support/system-state.ts";
import {
  createTiny,
  launch,
  type Reached,
  shareTinyImage,
  startContainer,
} from "../../support/tiny-container.ts";
import { socat } from "../support/socat.ts";

const ENGINE_FOLDER = "/mnt/stateful/lxd";
/** The socket of syslog. This machine has no syslog daemon. */
const MACHINE_LOG = "/var/machine.log";
/** The file with the host's name servers (docs/contract.md#default-network). */
const RESOLVERS = "/run/resolv.conf";
/** The arguments of the original's host (docs/contract.md#starting-the-daemon), with the guest's own vsock context id for the host's. */
const WORDS = ["-lxd_subnet", "100.115.92.193/28", "-feature=START_LXD", "--vsock-peer=1"];

const place = new AsyncDisposableStack();
let reached: Reached;
let daemon: ChildProcess;
let failures: { readonly failed: readonly string[] };
let respawns = true;

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "original-"));
  place.defer(() => rm(folder, { recursive: true }));
  await execute("truncate", ["--size", "4G", "/var/stateful.img"]);
  await execute("mkfs.btrfs", ["--quiet", "/var/stateful.img"]);
  await execute("mount", ["-o", "loop,user_subvol_rm_allowed,discard", "/var/stateful.img", "/mnt/stateful"]);
  await writeFile("/etc/lsb-release", "# of the place\n\nCHROMEOS_RELEASE_CHROME_MILESTONE=103\n");
  const listener = place.use(await RecordingListener.open(join(folder, "host.sock")));
  place.use(socat("VSOCK-LISTEN:7778,fork", `UNIX-CONNECT:${folder}/host.sock`));
  failures = place.use(await crashListener(join(folder, "crash.sock")));
  place.use(socat("VSOCK-LISTEN:7779,fork", `UNIX-CONNECT:${folder}/crash.sock`));
  place.use(socat("UNIX-RECV:/dev/log", `OPEN:${MACHINE_LOG},creat,append`, "-u"));
  await eventually("the log of the machine", async () => (await canAccess("/dev/log")) || undefined);
  const connection = place.use(dial({ kind: "vsock", cid: 1, port: 8890 }));
  const tremplin = createClient(Tremplin, connection.transport);
  reached = { tremplin, listener, shared: "/mnt/shared" };
  supervise();
  await listener.final("ready", "", 60_000);
});
after(async () => {
  respawns = false;
  daemon.kill("SIGKILL");
  await place.disposeAsync();
});

/** Starts the daemon, and restarts it when it dies, like the init process of the original's machine. */
function supervise(): void {
  daemon = spawn(join(repository, "bin/tremplin"), WORDS, {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      LXD_DIR: ENGINE_FOLDER,
      LXD_CONF: "/mnt/stateful/lxd_conf",
      LXD_UNPRIVILEGED_ONLY: "true",
    },
  });
  daemon.once("exit", () => respawns && supervise());
}

async function isRunning(): Promise<true | undefined> {
  const info = await reached.tremplin.getContainerInfo({ containerName: "penguin" });
  return info.status === Info.RUNNING ? true : undefined;
}

test("its arguments, environment and paths start a container in the subnet that they name", async () => {
  await launch(reached);
  await shareTinyImage(reached);
  await createTiny(reached, "penguin");
  await startContainer(reached, "penguin", { token: "a-token" });
  const info = await reached.tremplin.getContainerInfo({ containerName: "penguin" });
  assert.equal(info.status, Info.RUNNING, info.failureReason);
  const { stdout } = await execute("ip", ["-4", "-oneline", "address", "show", "lxdbr0"]);
  assert.match(stdout, / 100\.115\.92\.193\/28 /);
  await stat(`${ENGINE_FOLDER}/unix.socket`);
  await stat("/run/tokens/penguin_token");
  const conf = await stat("/mnt/stateful/lxd_conf");
  assert.deepEqual([conf.mode & 0o777, conf.uid, conf.gid], [0o755, 1000, 1000]);
});

test("after a change of the host's network no cached answer of a name server is left", async () => {
  await writeFile(RESOLVERS, "nameserver 127.0.53.1\n");
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers(["100.115.92.193"]);
  const look = async () => (await resolver.resolve4("moved.test").catch(() => []))[0];
  const isAt = (address: string) =>
    eventually(`moved.test at ${address}`, async () => (await look()) === address || undefined);
  {
    await using _before = await nameServer("127.0.53.1", { "moved.test": "192.0.2.1" });
    await isAt("192.0.2.1");
  }
  await using _after = await nameServer("127.0.53.1", { "moved.test": "192.0.2.7" });
  assert.equal(await look(), "192.0.2.1");
  await reached.tremplin.hostNetworkChanged({});
  await isAt("192.0.2.7");
});

test("a daemon that was killed and restarted reports that, and adopts the running engine", async () => {
  daemon.kill("SIGKILL");
  await reached.listener.final("ready", "", 60_000);
  await eventually("the container", isRunning, 60_000);
});

test("a killed engine is reported to the host's crash listener, and the container still exists", async () => {
  process.kill(await pidOfEngine(ENGINE_FOLDER), "SIGKILL");
  await eventually("the report", async () => failures.failed[0], 60_000);
  await eventually("the container", isRunning, 60_000);
  assert.deepEqual(failures.failed, ["lxd"]);
});

test("SIGPWR stops the containers, the engine and the daemon", async (context) => {
  respawns = false;
  const began = performance.now();
  const exited = once(daemon, "exit");
  daemon.kill("SIGPWR");
  assert.deepEqual(await exited, [0, null]);
  context.diagnostic(`ended after ${Math.round(performance.now() - began)} ms`);
  assert.deepEqual(await processesWith(ENGINE_FOLDER), []);
  assert.deepEqual(failures.failed, ["lxd"]);
  await reached.listener.final("shutdown", "penguin");
  const log = await readFile(MACHINE_LOG, "utf8");
  assert.match(log, /<30>\w+ +\d+ [\d:]+ tremplin\[\d+\]: \{"level":30,.*"msg":"listening"\}/);
  assert.match(log, /<28>.* tremplin\[\d+\]: \{"level":40,.*"msg":"the engine exited by itself"\}/);
});
