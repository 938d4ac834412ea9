import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { Snapshot_Owner as Owner } from "../../src/contract/tremplin/v1/guest_pb.js";
import {
  ContainerCreationProgress_Status as Created,
  ContainerStartProgress_Status as Started,
  UpgradeContainerProgress_Status as Status,
} from "../../src/contract/tremplin_pb.js";
import type { Instance } from "../../src/engine/resources/instance.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineCommand, engineQuery, inContainer } from "../support/in-container.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
  await createTiny(daemon, "web");
  await startContainer(daemon, "web", { token: "5ec2e7" });
});
after(() => daemon[Symbol.asyncDispose]());

const snapshot = { containerName: "web", snapshotName: "before" };

async function refusal(call: Promise<unknown>): Promise<{ code: Code; message: string }> {
  const error = await call.then(
    () => assert.fail("it was not refused"),
    (thrown) => ConnectError.from(thrown),
  );
  return { code: error.code, message: error.rawMessage };
}

async function write(text: string): Promise<void> {
  await inContainer(daemon, "web", "sh", "-c", `echo ${text} > /root/text; sync`);
}

/** The end of an operation on the container with an upgrade's notices. */
async function ended(container = "web"): Promise<void> {
  const { status, failureReason } = await daemon.listener.final("upgrade", container);
  assert.deepEqual([status, failureReason], [Status.SUCCEEDED, ""]);
}

test("a restart is one operation of which the host gets STARTED", async () => {
  const uptime = await inContainer(daemon, "web", "cat", "/proc/1/stat");
  await daemon.guest.restartContainer({ containerName: "web" });
  const { status, failureReason } = await daemon.listener.final("start", "web");
  assert.deepEqual([status, failureReason], [Started.STARTED, ""]);
  await daemon.listener.final("shutdown", "web");
  assert.notEqual(await inContainer(daemon, "web", "cat", "/proc/1/stat"), uptime);
});

test("a running container returns to its snapshot, and runs", async () => {
  await write("before");
  await daemon.guest.createSnapshot({ ...snapshot, lifetimeSeconds: 3600n });
  await ended();
  await write("after");
  const [listed] = (await daemon.guest.listSnapshots({ containerName: "web" })).snapshots;
  assert.deepEqual([listed?.name, listed?.owner], ["before", Owner.PERSON]);
  const lives = Number(listed?.expiresAt?.seconds) - Number(listed?.createdAt?.seconds);
  assert.ok(lives > 3500 && lives <= 3601, `${lives} s`);
  assert.equal((await refusal(daemon.guest.createSnapshot(snapshot))).code, Code.AlreadyExists);
  await daemon.guest.restoreSnapshot(snapshot);
  await ended();
  assert.equal(await inContainer(daemon, "web", "cat", "/root/text"), "before");
});

test("settings are effective at once, and refused where the engine or the container would suffer", async () => {
  const settings = { cpu: "1", memory: "256MiB", autostart: "on" };
  const done = await daemon.guest.setContainerSettings({ containerName: "web", settings });
  assert.deepEqual({ ...done.settings }, { ...settings, disk: "unlimited" });
  assert.equal(await memoryLimit("web"), 256 * 2 ** 20);
  const wrong = { containerName: "web", settings: { memory: "lots" } };
  assert.equal((await refusal(daemon.guest.setContainerSettings(wrong))).code, Code.InvalidArgument);
  const small = { containerName: "web", settings: { disk: "1GiB", autostart: "off", cpu: "unlimited" } };
  const { settings: left } = await daemon.guest.setContainerSettings(small);
  assert.deepEqual({ ...left }, { cpu: "unlimited", memory: "256MiB", disk: "1GiB", autostart: "off" });
});

test("the log of the last start is there for a running and a stopped container", async () => {
  const { text } = await daemon.guest.readContainerLog({ containerName: "web", boot: true, lines: 50 });
  assert.ok(text.length > 0);
  const { message } = await refusal(daemon.guest.readContainerLog({ containerName: "web" }));
  assert.match(message, /it has no journalctl/);
});

test("a running container is copied, with its snapshots, and has addresses of its own", async () => {
  await engineCommand(daemon, "config", "set", "web", "user.tremplin.operation=x", "boot.autostart=true");
  await daemon.guest.copyContainer({ containerName: "copy", sourceName: "web", snapshots: true });
  const final = await daemon.listener.final("create", "copy");
  assert.deepEqual([final.status, final.failureReason], [Created.CREATED, ""]);
  const names = (await daemon.guest.listSnapshots({ containerName: "copy" })).snapshots;
  assert.deepEqual(
    names.map(({ name }) => name),
    ["before"],
  );
  const { config, devices } = await settingsOf("copy");
  assert.deepEqual([config["user.tremplin.operation"], config["boot.autostart"]], [undefined, "true"]);
  assert.ok("container_token" in (await settingsOf("web")).devices);
  assert.ok(!("container_token" in devices), Object.keys(devices).join());
  await startContainer(daemon, "copy");
  assert.equal(await inContainer(daemon, "copy", "cat", "/root/text"), "before");
  assert.equal(await inContainer(daemon, "copy", "hostname"), "copy");
  const cards = await Promise.all(
    ["web", "copy"].map(async (name) => (await settingsOf(name)).config["volatile.eth0.hwaddr"]),
  );
  assert.equal(new Set(cards).size, 2);
});

test("a container is renamed once it is stopped, with its snapshots", async () => {
  const wanted = { containerName: "copy", newName: "www" };
  assert.match((await refusal(daemon.guest.renameContainer(wanted))).message, /is running; stop it first/);
  await engineCommand(daemon, "stop", "--force", "copy");
  await daemon.guest.renameContainer(wanted);
  const final = await daemon.listener.final("create", "www");
  assert.deepEqual([final.status, final.failureReason], [Created.CREATED, ""]);
  assert.equal((await refusal(daemon.guest.listSnapshots({ containerName: "copy" }))).code, Code.NotFound);
  const of = { containerName: "www", snapshotName: "before" };
  await daemon.guest.deleteSnapshot(of);
  assert.equal((await refusal(daemon.guest.deleteSnapshot(of))).code, Code.NotFound);
  await startContainer(daemon, "www");
  assert.equal(await inContainer(daemon, "www", "hostname"), "www");
});

async function settingsOf(name: string): Promise<Pick<Instance, "config" | "devices">> {
  return (await engineQuery(daemon, `/1.0/instances/${name}`)) as Instance;
}

/** The limit that the kernel has for a running container, by cgroup v2 or v1. */
async function memoryLimit(name: string): Promise<number> {
  const { pid } = (await engineQuery(daemon, `/1.0/instances/${name}/state`)) as { pid: number };
  const lines = (await readFile(`/proc/${pid}/cgroup`, "utf8")).trim().split("\n");
  const [, controller = "", path = ""] = lines
    .map((line) => line.split(":"))
    .find(([, each]) => each === "memory" || each === "") as string[];
  const file = controller === "memory" ? `memory${path}/memory.limit_in_bytes` : `${path}/memory.max`;
  return Number(await readFile(`/sys/fs/cgroup/${file}`, "utf8"));
}
