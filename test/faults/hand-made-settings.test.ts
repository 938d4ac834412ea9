import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import {
  ContainerDeletionProgress_Status as Deleted,
  ContainerImportProgress_Status as Imported,
  ContainerStartProgress_Status as Started,
  UpgradeContainerProgress_Status as Upgraded,
} from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { instanceStatus } from "../../src/engine/resources/instance.ts";
import { comeBack } from "../support/come-back.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineByHand } from "../support/engine-by-hand.ts";
import { engineOf } from "../support/engine-of.ts";
import { leaveOperation, noted, untilJournalEmpty } from "../support/journal.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/**
 * As hand-made-changes.test.ts, for what leaves no trace in when a container was last started: settings, snapshots,
 * another snapshot restored, a container that an operation had set aside.
 */
const UPGRADE = "fedcba9876543210";
const WAY_BACK = `tremplin-upgrade-${UPGRADE}`;

let daemon: TestDaemon;
let engine: Engine;
let byHand: (...words: string[]) => Promise<string>;
let count = 0;
let name: string;
/** Of the operation that was under way. */
let id: string;

before(async () => {
  daemon = await launchedDaemon();
  engine = await engineOf(daemon);
  byHand = engineByHand(daemon);
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});
beforeEach(async () => {
  id = (0x1123456789abcd00n + BigInt(count)).toString(16);
  name = `set-${String.fromCharCode(97 + count++)}`;
  await createTiny(daemon, name);
});

async function instance(of = name) {
  return (await engine.instances.get(of)).value;
}

async function snapshots(of = name): Promise<string[]> {
  return (await engine.snapshots.list(of)).map((each) => each.name).toSorted();
}

/** Looked at from outside: an engine that serves a container's files would hold on to it. */
function stateFile(of = name): string {
  return join(daemon.folder, "state/lxd/storage-pools/default/containers", of, "rootfs/root/state");
}

/** Leaves a file that says which of two states the container is in. */
async function write(text: string): Promise<void> {
  await writeFile(stateFile(), text);
}

async function read(): Promise<string> {
  return await readFile(stateFile(), "utf8");
}

async function back(): Promise<void> {
  await comeBack(daemon);
  await untilJournalEmpty(daemon);
}

async function leaves(kind: string, steps: Record<string, string>): Promise<void> {
  await daemon.kill();
  await leaveOperation(daemon, { id, kind, container: name, steps });
}

/** The snapshot that an upgrade left, as it is before an undo. */
async function saveBeforeUpgrade(): Promise<void> {
  await byHand("config", "set", name, `user.tremplin.operation=${UPGRADE}`);
  await byHand("snapshot", name, WAY_BACK);
  await byHand("config", "unset", name, "user.tremplin.operation");
}

for (const [act, gesture, reason] of [
  [
    "had a snapshot taken",
    (of: string) => byHand("snapshot", of, "mine"),
    /a snapshot of .* was taken since/,
  ],
  [
    "was given a key",
    (of: string) => byHand("config", "set", of, "user.mine=1"),
    /the settings of .* were changed/,
  ],
] as const) {
  test(`what was to be deleted ${act} by hand: it stays`, async () => {
    await leaves("delete", { ...(await noted(engine, name)) });
    await gesture(name);
    await back();
    const { status, failureReason } = await daemon.listener.final("delete", name);
    assert.equal(status, Deleted.FAILED);
    assert.match(failureReason, reason);
    assert.equal((await instance()).name, name);
  });
}

test("an undo, and somebody restored a snapshot of their own: that stays, and the snapshot of the upgrade too", async () => {
  await saveBeforeUpgrade();
  await write("mine");
  await byHand("snapshot", name, "mine");
  await write("later");
  await byHand("config", "set", name, `user.tremplin.operation=${id}-back`);
  await leaves("undo-upgrade", {
    ...(await noted(engine, name)),
    runs: "yes",
    snapshot: WAY_BACK,
    back: "done",
  });
  await byHand("restore", name, "mine");
  await back();
  const { status, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /was restored from another snapshot since/);
  assert.equal(await read(), "mine");
  assert.equal((await instance()).status_code, instanceStatus.stopped);
  assert.deepEqual(await snapshots(), ["mine", WAY_BACK]);
});

test("an undo that had done nothing yet to what still runs is not begun later", async () => {
  await saveBeforeUpgrade();
  await startContainer(daemon, name);
  await leaves("undo-upgrade", { ...(await noted(engine, name)), runs: "yes", snapshot: WAY_BACK });
  await byHand("exec", name, "--", "touch", "/root/work");
  await back();
  const { status, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /undo the upgrade again$/);
  await byHand("exec", name, "--", "test", "-e", "/root/work");
  assert.deepEqual(await snapshots(), [WAY_BACK]);
});

test("an undo, and somebody renamed the container: no mark of ours stays in it", async () => {
  await saveBeforeUpgrade();
  await byHand("config", "set", name, `user.tremplin.operation=${id}-back`);
  await leaves("undo-upgrade", {
    ...(await noted(engine, name)),
    runs: "no",
    snapshot: WAY_BACK,
    back: "done",
  });
  await byHand("rename", name, `${name}-kept`);
  await back();
  assert.equal((await daemon.listener.final("upgrade", name)).status, Upgraded.FAILED);
  assert.equal((await instance(`${name}-kept`)).config["user.tremplin.operation"], undefined);
});

/** A container whose upgrade was killed in the middle. */
async function upgrading(steps: Record<string, string>): Promise<string> {
  const snapshot = `tremplin-upgrade-${id}`;
  await byHand("config", "set", name, `user.tremplin.operation=${id}`);
  await byHand("snapshot", name, snapshot);
  await leaves("upgrade", { ...(await noted(engine, name)), saved: "done", ...steps });
  return snapshot;
}

test("an upgrade was killed, and somebody restored a snapshot of their own: that stays", async () => {
  await write("mine");
  await byHand("snapshot", name, "mine");
  await write("later");
  const snapshot = await upgrading({});
  await byHand("restore", name, "mine");
  await back();
  assert.equal((await daemon.listener.final("upgrade", name)).status, Upgraded.FAILED);
  assert.equal(await read(), "mine");
  assert.deepEqual(await snapshots(), ["mine", snapshot]);
});

for (const steps of [{}, { proven: "Debian 12 (bookworm)" }]) {
  test(`an upgrade was killed ${"proven" in steps ? "after" : "before"} its proof, and the container renamed: its snapshot goes in time`, async () => {
    const snapshot = await upgrading(steps);
    await byHand("rename", name, `${name}-kept`);
    await back();
    await daemon.listener.final("upgrade", name);
    const { config } = await instance(`${name}-kept`);
    assert.equal(config["user.tremplin.operation"], undefined);
    const found = (await engine.snapshots.list(`${name}-kept`)).find((each) => each.name === snapshot);
    assert.ok(Date.parse(found?.expires_at ?? "") > Date.now());
  });
}

test("an upgrade was proven and killed, and the container deleted by hand: it ends", async () => {
  await upgrading({ proven: "Debian 12 (bookworm)" });
  await byHand("delete", name);
  await back();
  assert.equal((await daemon.listener.final("upgrade", name)).status, Upgraded.SUCCEEDED);
});

test("a start that changed all owners was killed, and somebody set a key: it is restored with that key", async () => {
  await startContainer(daemon, name);
  await byHand("stop", "--force", name);
  const steps = { ...(await noted(engine, name)), saved: "done" };
  await byHand("config", "set", name, "security.privileged=true", `user.tremplin.operation=${id}`);
  await byHand("snapshot", name, `tremplin-remap-${id}`);
  await leaves("start", steps);
  await byHand("config", "set", name, "user.mine=1");
  await byHand("config", "device", "add", name, "mine", "none");
  await back();
  assert.equal((await daemon.listener.final("start", name)).status, Started.FAILED);
  const { config, devices } = await instance();
  assert.equal(config["user.mine"], "1");
  assert.equal(config["security.privileged"], "true");
  assert.equal(config["user.tremplin.operation"], undefined);
  assert.equal(devices.mine?.type, "none");
  assert.deepEqual(await snapshots(), []);
});

/** An import whose new container has its name, and whose old one is not deleted yet. */
async function swapped(): Promise<string> {
  const [old, fresh] = [`tremplin-aside-${id}`, `tremplin-import-${id}`];
  await byHand("init", "--empty", fresh);
  const steps = await noted(engine, name);
  await byHand("rename", name, old);
  await byHand("rename", fresh, name);
  const uuid = (await instance()).config["volatile.uuid"] ?? "";
  await leaves("import", { ...steps, fresh: uuid, swapped: "done" });
  return old;
}

test("an import with the new container in place, and somebody went on with the old one: both stay", async () => {
  const old = await swapped();
  await byHand("start", old);
  await back();
  assert.equal((await daemon.listener.final("import", name)).status, Imported.DONE);
  assert.equal((await instance()).status_code, instanceStatus.stopped);
  assert.equal((await instance(old)).status_code, instanceStatus.running);
});

test("an import with the new container in place, and somebody had gone on with the old one: it can be seen", async () => {
  const old = await swapped();
  await byHand("snapshot", old, "mine");
  await back();
  assert.equal((await daemon.listener.final("import", name)).status, Imported.DONE);
  assert.deepEqual(await snapshots(`${name}-before-import`), ["mine"]);
});

test("an import with the new container in place, and somebody deleted that: the old one is there again", async () => {
  await write("old");
  await swapped();
  await byHand("delete", name);
  await back();
  assert.equal((await daemon.listener.final("import", name)).status, Imported.FAILED);
  assert.equal(await read(), "old");
});
