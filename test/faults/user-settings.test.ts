import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  ContainerDeletionProgress_Status as Deleted,
  ContainerImportProgress_Status as Imported,
  ContainerStartProgress_Status as Started,
  UpgradeContainerProgress_Status as Upgraded,
} from "../../src/contract/tremplin_pb.js";
import { instanceStatus } from "../../src/engine/resources/instance.ts";
import { InterruptedContainer } from "../support/interrupted-container.ts";
import { startContainer } from "../support/tiny-container.ts";

/**
 * Like user-changes.test.ts, for changes that the time of the last start does not show: settings, snapshots, another
 * snapshot restored, a container under its temporary name.
 */
const at = new InterruptedContainer("set");
const UPGRADE = "fedcba9876543210";
const ROLLBACK = `tremplin-upgrade-${UPGRADE}`;

/** Read directly: an engine that serves the files of a container would keep it busy. */
function stateFile(of = at.name): string {
  return join(at.daemon.folder, "state/lxd/storage-pools/default/containers", of, "rootfs/root/state");
}

/** Writes a file that distinguishes two states of the container. */
async function write(text: string): Promise<void> {
  await writeFile(stateFile(), text);
}

async function read(): Promise<string> {
  return await readFile(stateFile(), "utf8");
}

/** Takes the rollback snapshot of an earlier upgrade. */
async function takeRollbackSnapshot(): Promise<void> {
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${UPGRADE}`);
  await at.byHand("snapshot", at.name, ROLLBACK);
  await at.byHand("config", "unset", at.name, "user.tremplin.operation");
}

for (const [act, gesture, reason] of [
  ["gets a snapshot", (of: string) => at.byHand("snapshot", of, "mine"), /a snapshot of .* was taken since/],
  [
    "gets a key",
    (of: string) => at.byHand("config", "set", of, "user.mine=1"),
    /the settings of .* were changed/,
  ],
] as const) {
  test(`a delete is interrupted, and the container ${act} by hand: it stays`, async () => {
    await at.interrupt("delete", await at.steps());
    await gesture(at.name);
    await at.restart();
    const { status, failureReason } = await at.daemon.listener.final("delete", at.name);
    assert.equal(status, Deleted.FAILED);
    assert.match(failureReason, reason);
    assert.equal((await at.instance()).name, at.name);
  });
}

test("a rollback is interrupted, and a user restores another snapshot: recovery keeps that and the rollback snapshot", async () => {
  await takeRollbackSnapshot();
  await write("mine");
  await at.byHand("snapshot", at.name, "mine");
  await write("later");
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}-back`);
  await at.interrupt("undo-upgrade", {
    ...(await at.steps()),
    runs: "yes",
    snapshot: ROLLBACK,
    back: "done",
  });
  await at.byHand("restore", at.name, "mine");
  await at.restart();
  const { status, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /was restored from another snapshot since/);
  assert.equal(await read(), "mine");
  assert.equal(await at.status(), instanceStatus.stopped);
  assert.deepEqual(await at.snapshots(), ["mine", ROLLBACK]);
});

test("a rollback is interrupted before it began: recovery does not begin it", async () => {
  await takeRollbackSnapshot();
  await startContainer(at.daemon, at.name);
  await at.interrupt("undo-upgrade", { ...(await at.steps()), runs: "yes", snapshot: ROLLBACK });
  await at.byHand("exec", at.name, "--", "touch", "/root/work");
  await at.restart();
  const { status, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /roll the upgrade back again$/);
  await at.byHand("exec", at.name, "--", "test", "-e", "/root/work");
  assert.deepEqual(await at.snapshots(), [ROLLBACK]);
});

test("a rollback is interrupted, and a user renames the container: its mark is removed", async () => {
  await takeRollbackSnapshot();
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}-back`);
  await at.interrupt("undo-upgrade", {
    ...(await at.steps()),
    runs: "no",
    snapshot: ROLLBACK,
    back: "done",
  });
  await at.byHand("rename", at.name, `${at.name}-kept`);
  await at.restart();
  assert.equal((await at.daemon.listener.final("upgrade", at.name)).status, Upgraded.FAILED);
  assert.equal((await at.instance(`${at.name}-kept`)).config["user.tremplin.operation"], undefined);
});

/** A container whose upgrade is interrupted. */
async function interruptUpgrade(steps: Record<string, string>): Promise<string> {
  const snapshot = `tremplin-upgrade-${at.id}`;
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}`);
  await at.byHand("snapshot", at.name, snapshot);
  await at.interrupt("upgrade", { ...(await at.steps()), saved: "done", ...steps });
  return snapshot;
}

test("an upgrade is interrupted, and a user restores another snapshot: recovery keeps that", async () => {
  await write("mine");
  await at.byHand("snapshot", at.name, "mine");
  await write("later");
  const snapshot = await interruptUpgrade({});
  await at.byHand("restore", at.name, "mine");
  await at.restart();
  assert.equal((await at.daemon.listener.final("upgrade", at.name)).status, Upgraded.FAILED);
  assert.equal(await read(), "mine");
  assert.deepEqual(await at.snapshots(), ["mine", snapshot]);
});

for (const steps of [{}, { proven: "Debian 12 (bookworm)" }]) {
  test(`an upgrade is interrupted ${"proven" in steps ? "after" : "before"} its verification, and the container is renamed: the snapshot expires`, async () => {
    const snapshot = await interruptUpgrade(steps);
    await at.byHand("rename", at.name, `${at.name}-kept`);
    await at.restart();
    await at.daemon.listener.final("upgrade", at.name);
    const { config } = await at.instance(`${at.name}-kept`);
    assert.equal(config["user.tremplin.operation"], undefined);
    const found = (await at.engine.snapshots.list(`${at.name}-kept`)).find((each) => each.name === snapshot);
    assert.ok(Date.parse(found?.expires_at ?? "") > Date.now());
  });
}

test("an upgrade is interrupted after its verification, and a user deletes the container: it succeeds", async () => {
  await interruptUpgrade({ proven: "Debian 12 (bookworm)" });
  await at.byHand("delete", at.name);
  await at.restart();
  assert.equal((await at.daemon.listener.final("upgrade", at.name)).status, Upgraded.SUCCEEDED);
});

test("a start is interrupted before its id shift, and a user sets a key: the restored container keeps the key", async () => {
  await startContainer(at.daemon, at.name);
  await at.byHand("stop", "--force", at.name);
  const steps = { ...(await at.steps()), saved: "done" };
  await at.byHand("config", "set", at.name, "security.privileged=true", `user.tremplin.operation=${at.id}`);
  await at.byHand("snapshot", at.name, `tremplin-remap-${at.id}`);
  await at.interrupt("start", steps);
  await at.byHand("config", "set", at.name, "user.mine=1");
  await at.byHand("config", "device", "add", at.name, "mine", "none");
  await at.restart();
  assert.equal((await at.daemon.listener.final("start", at.name)).status, Started.FAILED);
  const { config, devices } = await at.instance();
  assert.equal(config["user.mine"], "1");
  assert.equal(config["security.privileged"], "true");
  assert.equal(config["user.tremplin.operation"], undefined);
  assert.equal(devices.mine?.type, "none");
  assert.deepEqual(await at.snapshots(), []);
});

/** An import that is interrupted after its renames. */
async function interruptImport(): Promise<string> {
  const [old, fresh] = [`tremplin-aside-${at.id}`, `tremplin-import-${at.id}`];
  await at.byHand("init", "--empty", fresh);
  const steps = await at.steps();
  await at.byHand("rename", at.name, old);
  await at.byHand("rename", fresh, at.name);
  const uuid = (await at.instance()).config["volatile.uuid"] ?? "";
  await at.interrupt("import", { ...steps, fresh: uuid, swapped: "done" });
  return old;
}

test("an import is interrupted after its renames, and a user starts the old container: both stay", async () => {
  const old = await interruptImport();
  await at.byHand("start", old);
  await at.restart();
  assert.equal((await at.daemon.listener.final("import", at.name)).status, Imported.DONE);
  assert.equal(await at.status(), instanceStatus.stopped);
  assert.equal(await at.status(old), instanceStatus.running);
});

test("an import is interrupted after its renames, and a user takes a snapshot of the old container: it gets a visible name", async () => {
  const old = await interruptImport();
  await at.byHand("snapshot", old, "mine");
  await at.restart();
  assert.equal((await at.daemon.listener.final("import", at.name)).status, Imported.DONE);
  assert.deepEqual(await at.snapshots(`${at.name}-before-import`), ["mine"]);
});

test("an import is interrupted after its renames, and a user deletes the new container: the old one gets its name back", async () => {
  await write("old");
  await interruptImport();
  await at.byHand("delete", at.name);
  await at.restart();
  assert.equal((await at.daemon.listener.final("import", at.name)).status, Imported.FAILED);
  assert.equal(await read(), "old");
});
