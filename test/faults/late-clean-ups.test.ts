import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  ContainerImportProgress_Status as Imported,
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
 * The work of an operation was done, or being taken back, when the daemon was killed; only a clean-up was left. Until
 * the daemon is back a person has gone on by hand: what they made stays, and the clean-up comes to its end.
 */
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
  id = `fedcba98765432${(10 + count).toString(16)}`.slice(-16).padStart(16, "0");
  name = `late-${String.fromCharCode(97 + count++)}`;
  await createTiny(daemon, name);
});

async function instance(of = name) {
  return (await engine.instances.get(of)).value;
}

async function names(): Promise<string[]> {
  return (await engine.instances.list()).map((each) => each.name);
}

async function touch(of: string, file: string): Promise<void> {
  using files = await engine.fileSession(of);
  await files.create(`/root/${file}`, new Uint8Array(), { uid: 0, gid: 0, mode: 0o600 });
}

async function has(of: string, file: string): Promise<boolean> {
  using files = await engine.fileSession(of);
  return (await files.list("/root", 100)).some((entry) => entry.name === file);
}

async function snapshots(of = name): Promise<string[]> {
  return (await engine.snapshots.list(of)).map((snapshot) => snapshot.name);
}

async function leave(kind: string, steps: Record<string, string>): Promise<void> {
  await daemon.kill();
  await leaveOperation(daemon, { id, kind, container: name, steps });
}

async function back(): Promise<void> {
  await comeBack(daemon);
  await untilJournalEmpty(daemon);
}

/** A container that is being upgraded, with the snapshot that was taken before. */
async function upgrading(): Promise<Record<string, string>> {
  await byHand("config", "set", name, `user.tremplin.operation=${id}`);
  await byHand("snapshot", name, `tremplin-upgrade-${id}`);
  return { ...(await noted(engine, name)), saved: "done" };
}

test("an upgrade was proven and the container is gone: it succeeded, and nothing is tried for ever", async () => {
  const steps = await upgrading();
  await leave("upgrade", { ...steps, proven: "Debian 13" });
  await byHand("delete", name);
  await back();
  assert.equal((await daemon.listener.final("upgrade", name)).status, Upgraded.SUCCEEDED);
});

for (const [act, gesture] of [
  ["proven", { proven: "Debian 13" }],
  ["interrupted", {}],
] as const) {
  test(`an upgrade was ${act} and the container renamed: its snapshot goes in seven days, under the new name`, async () => {
    const steps = await upgrading();
    await leave("upgrade", { ...steps, ...gesture });
    await byHand("rename", name, `${name}-kept`);
    await back();
    const [snapshot] = await engine.snapshots.list(`${name}-kept`);
    assert.ok(Date.parse(snapshot?.expires_at ?? "") > Date.now());
    assert.equal((await instance(`${name}-kept`)).config["user.tremplin.operation"], undefined);
  });
}

test("an upgrade was interrupted, and somebody went back to a snapshot of their own: that stays", async () => {
  await touch(name, "mine");
  await byHand("snapshot", name, "mine");
  const steps = await upgrading();
  {
    using files = await engine.fileSession(name);
    await files.remove("/root/mine");
  }
  await leave("upgrade", steps);
  await byHand("restore", name, "mine");
  await touch(name, "since");
  await back();
  const { status, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /was restored from another snapshot since/);
  assert.deepEqual([await has(name, "mine"), await has(name, "since")], [true, true]);
  assert.deepEqual((await snapshots()).sort(), ["mine", `tremplin-upgrade-${id}`]);
});

test("an upgrade was interrupted between the mark of its rollback and the step: it is put back", async () => {
  const steps = await upgrading();
  await byHand("config", "set", name, `user.tremplin.operation=${id}-back`);
  await touch(name, "half-upgraded");
  await leave("upgrade", steps);
  await back();
  const { status, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /was rolled back to before the upgrade and runs$/);
  assert.equal(await has(name, "half-upgraded"), false);
  assert.deepEqual(await snapshots(), []);
});

test("an undo was interrupted, and somebody went back to a snapshot of their own: that and the way back stay", async () => {
  const snapshot = "tremplin-upgrade-0011223344556677";
  await byHand("snapshot", name, "mine");
  await byHand("config", "set", name, "user.tremplin.operation=0011223344556677");
  await byHand("snapshot", name, snapshot);
  await byHand("config", "set", name, `user.tremplin.operation=${id}-back`);
  await leave("undo-upgrade", { ...(await noted(engine, name)), runs: "no", snapshot, back: "done" });
  await byHand("restore", name, "mine");
  await touch(name, "since");
  await back();
  const { status, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /was restored from another snapshot since/);
  assert.equal(await has(name, "since"), true);
  assert.deepEqual((await snapshots()).sort(), ["mine", snapshot]);
});

/** An import after both of its renames: only the old container is still to go. */
async function swapped(): Promise<{ old: string; steps: Record<string, string> }> {
  const old = `tremplin-aside-${id}`;
  await startContainer(daemon, name);
  const steps = { ...(await noted(engine, name)), ran: "done" };
  await byHand("stop", "--force", name);
  await byHand("rename", name, old);
  await byHand("init", "--empty", name);
  const fresh = (await instance()).config["volatile.uuid"] ?? "";
  return { old, steps: { ...steps, fresh, swapped: "done" } };
}

test("an import was done but for the old container, which somebody started: it runs on, and nothing is tried for ever", async () => {
  const { old, steps } = await swapped();
  await leave("import", steps);
  await byHand("start", old);
  await back();
  assert.equal((await daemon.listener.final("import", name)).status, Imported.DONE);
  assert.equal((await instance(old)).status_code, instanceStatus.running);
});

test("an import was done but for the old container, and somebody deleted the new one: the old one has its name again", async () => {
  const { old, steps } = await swapped();
  const { config } = await instance(old);
  await leave("import", steps);
  await byHand("delete", name);
  await back();
  const { status, failureReason } = await daemon.listener.final("import", name);
  assert.equal(status, Imported.FAILED);
  assert.match(failureReason, /somebody took the new container away, so .* is the one of before$/);
  assert.equal((await instance()).config["volatile.uuid"], config["volatile.uuid"]);
  assert.equal((await names()).includes(old), false);
});

test("an import was done but for the old container, left alone: the old one goes", async () => {
  const { old, steps } = await swapped();
  await leave("import", steps);
  await back();
  assert.equal((await daemon.listener.final("import", name)).status, Imported.DONE);
  assert.deepEqual([(await names()).includes(name), (await names()).includes(old)], [true, false]);
});

test("what an import had begun goes, also where the person's profile protects all containers", async () => {
  await byHand("init", "--empty", `tremplin-import-${id}`);
  await leave("import", {});
  await byHand("profile", "set", "default", "security.protection.delete=true");
  await back();
  await byHand("profile", "unset", "default", "security.protection.delete");
  assert.equal((await daemon.listener.final("import", name)).status, Imported.FAILED);
  assert.equal((await names()).includes(`tremplin-import-${id}`), false);
});
