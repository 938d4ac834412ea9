import assert from "node:assert/strict";
import { readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Engine_State as State } from "../../src/contract/tremplin/v1/guest_pb.js";
import {
  GetContainerInfoResponse_Status as Info,
  StartLxdProgress_Status as Launched,
  UpgradeContainerProgress_Status as Upgraded,
} from "../../src/contract/tremplin_pb.js";
import { breakableEngine } from "../support/breakable-engine.ts";
import { crashListener } from "../support/crash-listener.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { startLxd } from "../support/database-reset.ts";
import { engineOf } from "../support/engine-of.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { keptFolder } from "../support/keeper.ts";
import { smallDisk } from "../support/small-disk.ts";
import { execute } from "../support/system-state.ts";
import {
  createTiny,
  launch,
  launchedDaemon,
  shareTinyImage,
  startContainer,
} from "../support/tiny-container.ts";

async function engineState({ guest }: TestDaemon) {
  const { engine } = await guest.getStatus({});
  return { state: engine?.state, reason: engine?.failureReason ?? "" };
}

test("an engine dies for good during recovery: the launch fails, and a later one completes the recovery", async () => {
  await using engineProgram = await breakableEngine();
  await using daemon = await startDaemon({ env: { PATH: engineProgram.path } });
  await launch(daemon);
  await shareTinyImage(daemon);
  await createTiny(daemon, "penguin");
  {
    await using engine = await engineOf(daemon);
    await (await engine.snapshots.create("penguin", "tremplin-upgrade-1234abcd")).wait();
  }
  await startContainer(daemon, "penguin");
  await daemon.kill();
  const entry = {
    id: "1234abcd",
    kind: "undo-upgrade",
    container: "penguin",
    startedAt: Date.now(),
    request: { containerName: "penguin" },
    steps: { snapshot: "tremplin-upgrade-1234abcd", runs: "yes" },
  };
  await writeFile(join(daemon.folder, "state/journal/1234abcd.json"), JSON.stringify(entry));
  const pid = await enginePid(daemon);
  await engineProgram.break();
  await daemon.start();
  await eventually("the recovery", async () => {
    const log = await readFile(join(daemon.folder, "daemon.log"), "utf8");
    return log.includes('"msg":"recovering"') ? true : undefined;
  });
  process.kill(pid, "SIGKILL");
  const failed = await eventually("the launch to fail", async () => {
    const found = await engineState(daemon);
    return found.state === State.FAILED ? found : undefined;
  });
  assert.match(failed.reason, /died 11 times within 30 s .*broken on purpose/s);
  const { failureReason } = await daemon.tremplin.getContainerInfo({ containerName: "penguin" });
  assert.match(failureReason, /^LXD not running: launching it failed: /);
  assert.deepEqual(daemon.listener.messages("upgrade", "penguin"), []);

  await engineProgram.mend();
  assert.equal(await startLxd(daemon), "");
  assert.equal((await daemon.listener.final("upgrade", "penguin")).status, Upgraded.SUCCEEDED);
  assert.equal((await daemon.tremplin.getContainerInfo({ containerName: "penguin" })).status, Info.RUNNING);
});

test("no space for the database: StartLxd says so and touches nothing; with space it works again", async () => {
  await using daemon = await startDaemon();
  await daemon.stop();
  const state = join(daemon.folder, "state");
  await rm(state, { recursive: true });
  await smallDisk(state, 300 * 1024 * 1024);
  await daemon.start();
  await launch(daemon);
  await shareTinyImage(daemon);
  await createTiny(daemon, "penguin");
  await daemon.stop("SIGPWR");
  const { bavail, bsize } = await statfs(state);
  await execute("fallocate", ["-l", `${bavail * bsize - 64 * 1024}`, join(state, "filler")]);
  await daemon.start();
  for (const resetLxdDb of [false, true]) {
    await daemon.tremplin.startLxd({ resetLxdDb });
    const { status, failureReason } = await daemon.listener.final("startLxd");
    assert.equal(status, Launched.FAILED);
    assert.match(failureReason, /^there is no space left .* make room there/);
  }
  await rm(join(state, "filler"));
  assert.equal(await startLxd(daemon), "");
  assert.equal((await daemon.tremplin.getContainerInfo({ containerName: "penguin" })).status, Info.STOPPED);
});

test("the crash listener of the site is notified when the engine dies, and not when it is stopped", async () => {
  await using folder = await keptFolder();
  const socket = join(folder.path, "crash.sock");
  const site = join(folder.path, "site.yaml");
  await writeFile(site, `name: counted\ncrashListener: unix:${socket}\n`);
  await using daemon = await startDaemon({ site });
  await launch(daemon);
  {
    await using listener = await crashListener(socket);
    process.kill(await enginePid(daemon), "SIGKILL");
    await eventually("the report", async () => listener.failed[0]);
    await eventually("the engine", async () => {
      const { status } = await daemon.tremplin.getContainerInfo({ containerName: "nobody" });
      return status === Info.NOT_FOUND || undefined;
    });
    assert.equal(await daemon.stop("SIGPWR"), 0);
    assert.deepEqual(listener.failed, ["lxd"]);
  }
  // Without a listener the failure is only logged.
  await daemon.start();
  await launch(daemon);
  process.kill(await enginePid(daemon), "SIGKILL");
  await eventually(
    "the log",
    async () => (await daemon.log()).includes("could not be reported to the host") || undefined,
  );
});

test("an engine that died before it wrote down its dnsmasq: the next one has its network", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  await daemon.kill();
  process.kill(await enginePid(daemon), "SIGKILL");
  await writeFile(join(daemon.folder, "state/lxd/networks", daemon.bridge, "dnsmasq.pid"), "");
  await daemon.start();
  await launch(daemon);
  await startContainer(daemon, "penguin");
});
