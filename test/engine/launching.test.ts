import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Engine_State as State } from "../../src/contract/tremplin/v1/guest_pb.js";
import {
  AttachUsbToContainerResponse_Status as Attach,
  CancelUpgradeContainerResponse_Status as CancelUpgrade,
  CreateContainerResponse_Status as Create,
  DeleteContainerResponse_Status as Delete,
  UpdateContainerDevicesResponse_Status as Devices,
  GetContainerInfoResponse_Status as Info,
  StartLxdProgress_Status as Launched,
  StartContainerResponse_Status as Start,
  StartLxdResponse_Status as StartLxd,
  StopContainerResponse_Status as Stop,
  UpgradeContainerResponse_Status as Upgrade,
} from "../../src/contract/tremplin_pb.js";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import { privateLxd } from "../support/private-lxd.ts";
import { execute } from "../support/system-state.ts";
import {
  createTiny,
  launch,
  launchedDaemon,
  shareTinyImage,
  startContainer,
  tinyRequest,
} from "../support/tiny-container.ts";

interface Pool {
  readonly driver: string;
  readonly config: Readonly<Record<string, string>>;
}

async function engineState({ guest }: TestDaemon): Promise<State | undefined> {
  return (await guest.getStatus({})).engine?.state;
}

test("before StartLxd every rpc fails safely, and none says not found", async () => {
  await using daemon = await startDaemon();
  const { tremplin } = daemon;
  const name = { containerName: "penguin" };
  const answers = await Promise.all([
    tremplin.createContainer({ ...name, imageServer: "http://127.0.0.1:9", imageAlias: "a" }),
    tremplin.deleteContainer(name),
    tremplin.startContainer(name),
    tremplin.stopContainer(name),
    tremplin.getContainerInfo(name),
    tremplin.upgradeContainer({ ...name, targetVersion: 4 }),
  ]);
  const failed = [Create.FAILED, Delete.FAILED, Start.FAILED, Stop.FAILED, Info.FAILED, Upgrade.FAILED];
  assert.deepEqual(
    answers.map(({ status }) => status),
    failed,
  );
  for (const { failureReason } of answers)
    assert.match(failureReason, /^LXD not running: call StartLxd first$/);
  assert.equal((await tremplin.cancelUpgradeContainer(name)).status, CancelUpgrade.NOT_RUNNING);
  const attach = await tremplin.attachUsbToContainer({ ...name, portNum: 1 });
  assert.equal(attach.status, Attach.FAILED);
  const devices = await tremplin.updateContainerDevices({ ...name, updates: { microphone: 0 } });
  assert.equal(devices.status, Devices.FAILED);
});

test("StartLxd twice at once shares one outcome", async () => {
  await using daemon = await startDaemon();
  const answers = await Promise.all([daemon.tremplin.startLxd({}), daemon.tremplin.startLxd({})]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [StartLxd.STARTING, StartLxd.STARTING],
  );
  assert.equal((await daemon.listener.final("startLxd")).status, Launched.STARTED);
  assert.equal((await daemon.tremplin.startLxd({})).status, StartLxd.ALREADY_RUNNING);
  assert.equal(daemon.listener.messages("startLxd").length, 1);
});

test("a bridge of something else leads to a clear FAILED and is not changed", async () => {
  await using daemon = await startDaemon();
  await execute("ip", ["link", "add", daemon.bridge, "type", "bridge"]);
  const look = async () => (await execute("ip", ["-o", "addr", "show", "dev", daemon.bridge])).stdout;
  const before = await look();
  await daemon.tremplin.startLxd({});
  const { status, failureReason } = await daemon.listener.final("startLxd");
  assert.equal(status, Launched.FAILED);
  assert.match(failureReason, new RegExp(`interface ${daemon.bridge} exists already.*--bridge`));
  assert.equal(await look(), before);
  assert.equal(await engineState(daemon), State.FAILED);

  await execute("ip", ["link", "del", daemon.bridge]);
  await launch(daemon);
});

test("a subnet of something else leads to a clear FAILED", async () => {
  await using daemon = await startDaemon();
  const other = `${daemon.bridge.slice(0, 13)}x`;
  await execute("ip", ["link", "add", other, "type", "bridge"]);
  try {
    await execute("ip", ["addr", "add", daemon.subnet, "dev", other]);
    await daemon.tremplin.startLxd({});
    const { status, failureReason } = await daemon.listener.final("startLxd");
    assert.equal(status, Launched.FAILED);
    assert.match(
      failureReason,
      new RegExp(`overlaps with .* of the interface ${other}; give another with --lxd-subnet`),
    );
  } finally {
    await execute("ip", ["link", "del", other]);
  }
});

test("a dead engine is started again, and its containers go on", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "survivor");
  await startContainer(daemon, "survivor");
  const first = await enginePid(daemon);
  const uptime = () => inContainer(daemon, "survivor", "stat", "-c", "%Y", "/proc/1");
  const boot = await uptime();
  process.kill(first, "SIGKILL");
  const second = await eventually("another engine", async () => {
    const pid = await enginePid(daemon).catch(() => first);
    const { status } = await daemon.tremplin.getContainerInfo({ containerName: "survivor" });
    return pid !== first && status === Info.RUNNING ? pid : undefined;
  });
  assert.notEqual(second, first);
  assert.equal(await uptime(), boot);
  await daemon.tremplin.stopContainer({ containerName: "survivor" });
  await daemon.listener.final("stop", "survivor");
  await daemon.listener.final("shutdown", "survivor");
  assert.equal(daemon.listener.messages("shutdown", "survivor").length, 1);
});

test("SIGTERM leaves engine and containers running; the next daemon attaches to them and reports a stop in between", async () => {
  await using daemon = await launchedDaemon();
  for (const name of ["stays", "goes"]) {
    await createTiny(daemon, name);
    await startContainer(daemon, name);
  }
  const engine = await enginePid(daemon);
  assert.equal(await daemon.stop("SIGTERM"), 0);
  const env = { ...process.env, LXD_DIR: join(daemon.folder, "state/lxd"), LXD_CONF: daemon.folder };
  await execute("lxc", ["stop", "--force", "goes"], { env });
  await daemon.start();
  await daemon.listener.final("shutdown", "goes");
  await eventually("the engine taken over", async () =>
    (await engineState(daemon)) === State.RUNNING ? true : undefined,
  );
  assert.equal(await enginePid(daemon), engine);
  assert.equal((await daemon.tremplin.startLxd({})).status, StartLxd.ALREADY_RUNNING);
  assert.equal((await daemon.tremplin.getContainerInfo({ containerName: "stays" })).status, Info.RUNNING);
  assert.deepEqual(daemon.listener.messages("shutdown", "stays"), []);
});

test("SIGPWR stops the containers, then the engine, then the daemon; the next one starts those again that ran", async () => {
  await using daemon = await launchedDaemon({ site: "generic" });
  const containers = { guest: "", never: "off", restored: "" };
  for (const [name, autostart] of Object.entries(containers)) {
    await createTiny(daemon, name);
    if (autostart) await daemon.guest.setContainerSettings({ containerName: name, settings: { autostart } });
    await startContainer(daemon, name);
  }
  // The engine brings back with the snapshot that it ran then.
  const snapshot = { containerName: "restored", snapshotName: "s1" };
  const ended = () => daemon.listener.final("upgrade", "restored");
  await daemon.guest.createSnapshot(snapshot);
  await ended();
  await daemon.tremplin.stopContainer({ containerName: "restored" });
  await daemon.listener.final("stop", "restored");
  await daemon.guest.restoreSnapshot(snapshot);
  await ended();
  assert.equal(await daemon.stop("SIGPWR"), 0);
  await assert.rejects(enginePid(daemon));
  await daemon.start();
  await launch(daemon);
  const status = (name: string) => daemon.tremplin.getContainerInfo({ containerName: name });
  const isStarted = async () =>
    (await daemon.guest.getStatus({})).containersToStart.length === 0 || undefined;
  await eventually("the containers that ran", isStarted);
  const states = await Promise.all(Object.keys(containers).map(async (name) => (await status(name)).status));
  assert.deepEqual(states, [Info.RUNNING, Info.STOPPED, Info.STOPPED]);
});

test("the daemon attaches to an external engine, adds missing objects, and never stops it", async () => {
  await using lxd = await privateLxd({ pool: "dir" });
  await using daemon = await startDaemon({ engine: `unix:${lxd.address.path}` });
  await launch(daemon);
  await shareTinyImage(daemon);
  await createTiny(daemon, "visitor");
  await startContainer(daemon, "visitor");
  const { engine } = await daemon.guest.getStatus({});
  assert.deepEqual([engine?.socket, engine?.storage], [lxd.address.path, "dir"]);
  assert.equal(await daemon.stop("SIGPWR"), 0);
  await using client = await lxd.connect();
  assert.equal((await client.instances.get("visitor")).value.status, "Running");
});

test("on btrfs the pool is in the state folder, on other file systems in a file of its own", async () => {
  await using daemon = await startDaemon();
  await daemon.stop();
  const state = join(daemon.folder, "state");
  const disk = join(daemon.folder, "disk");
  await execute("truncate", ["-s", "2G", disk]);
  await execute("mkfs.btrfs", ["-q", disk]);
  await execute("mount", ["-o", "loop,user_subvol_rm_allowed", disk, state]);
  await daemon.start();
  await launch(daemon);
  const pool = (await engineQuery(daemon, "/1.0/storage-pools/default")) as Pool;
  assert.deepEqual([pool.driver, pool.config.source], ["btrfs", join(state, "lxd/storage-pools/default")]);
  await shareTinyImage(daemon);
  await createTiny(daemon, "inside");
  await startContainer(daemon, "inside");

  await using other = await launchedDaemon();
  const file = (await engineQuery(other, "/1.0/storage-pools/default")) as Pool;
  assert.deepEqual(
    [file.driver, file.config.source],
    ["btrfs", join(other.folder, "state/lxd/disks/default.img")],
  );
});

test("a host that comes late gets the ready notice and what happened meanwhile", async () => {
  await using daemon = await launchedDaemon();
  await daemon.listener.goAway();
  await daemon.kill();
  await daemon.launch();
  await eventually("the daemon", () => engineState(daemon).catch(() => undefined));
  await eventually("the engine", async () =>
    (await engineState(daemon)) === State.RUNNING ? true : undefined,
  );
  const count = daemon.listener.notices.length;
  assert.equal((await daemon.tremplin.createContainer(tinyRequest(daemon, "early"))).status, Create.CREATING);
  await eventually("the end of create", async () => {
    const { operations, undeliveredNotices } = await daemon.guest.getStatus({});
    return operations.length === 0 && undeliveredNotices > 0 ? true : undefined;
  });
  await daemon.listener.reopen();
  await daemon.listener.final("create", "early");
  assert.deepEqual(
    daemon.listener.notices.slice(count).map(({ kind }) => kind),
    ["ready", "create"],
  );
});
