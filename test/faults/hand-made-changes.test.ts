import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import {
  ContainerDeletionProgress_Status as Deleted,
  ContainerImportProgress_Status as Imported,
  StartContainerRequest_PrivilegeLevel as Level,
  ContainerStartProgress_Status as Started,
  ContainerStopProgress_Status as Stopped,
  UpgradeContainerProgress_Status as Upgraded,
} from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { instanceStatus } from "../../src/engine/resources/instance.ts";
import { comeBack } from "../support/come-back.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineByHand } from "../support/engine-by-hand.ts";
import { engineOf } from "../support/engine-of.ts";
import { eventually } from "../support/eventually.ts";
import { inContainer } from "../support/in-container.ts";
import { leaveOperation, noted, untilJournalEmpty, untilStep } from "../support/journal.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/**
 * A daemon is killed in the middle of an operation, a person goes on by hand with the engine's own command line, and
 * hours later the daemon is back. What the person made since is not touched.
 */
const DAY = 24 * 60 * 60 * 1000;

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
  id = `0123456789abcd${(10 + count).toString(16)}`.slice(-16).padStart(16, "0");
  name = `hand-${String.fromCharCode(97 + count++)}`;
  await createTiny(daemon, name);
});

async function instance(of = name) {
  return (await engine.instances.get(of)).value;
}

async function status(of = name): Promise<number> {
  return (await instance(of)).status_code;
}

async function touch(of: string): Promise<void> {
  await byHand("exec", of, "--", "touch", "/root/work");
}

async function hasWork(of: string): Promise<boolean> {
  using files = await engine.fileSession(of);
  return await files.lstat("/root/work").then(
    () => true,
    () => false,
  );
}

async function back(): Promise<void> {
  await comeBack(daemon);
  await untilJournalEmpty(daemon);
}

test("a start that changed all owners was finished by the engine, and there was work since: it stays", async () => {
  await startContainer(daemon, name);
  await inContainer(
    daemon,
    name,
    "sh",
    "-c",
    "mkdir /root/many; cd /root/many; i=0; while [ $i -lt 3000 ]; do echo > $i; i=$((i+1)); done",
  );
  await daemon.tremplin.stopContainer({ containerName: name });
  await daemon.listener.final("stop", name);
  await daemon.tremplin.startContainer({ containerName: name, privilegeLevel: Level.PRIVILEGED });
  await untilStep(daemon, "saved");
  await daemon.kill();
  await eventually("the start", async () => ((await status()) === instanceStatus.running ? true : undefined));
  await touch(name);
  await byHand("stop", "--force", name);
  await back();
  const { status: end, failureReason } = await daemon.listener.final("start", name);
  assert.ok(end === Started.FAILED || end === Started.STARTED, failureReason);
  assert.equal(await hasWork(name), true);
  assert.deepEqual(await engine.snapshots.list(name), []);
  await startContainer(daemon, name);
  assert.equal(await inContainer(daemon, name, "stat", "-c", "%u", "/", "/root/many/1"), "0\n0");
});

test("a start that changed all owners was killed, and somebody restored a snapshot of their own: that stays", async () => {
  await startContainer(daemon, name);
  await touch(name);
  await daemon.tremplin.stopContainer({ containerName: name });
  await daemon.listener.final("stop", name);
  await byHand("snapshot", name, "mine");
  {
    using files = await engine.fileSession(name);
    await files.remove("/root/work");
  }
  await daemon.kill();
  // As the daemon leaves it between its snapshot and the start.
  await byHand("config", "set", name, "security.privileged=true", `user.tremplin.operation=${id}`);
  await byHand("snapshot", name, `tremplin-remap-${id}`);
  await leaveOperation(daemon, {
    id,
    kind: "start",
    container: name,
    steps: { ...(await noted(engine, name)), saved: "done" },
  });
  await byHand("restore", name, "mine");
  await back();
  assert.equal((await daemon.listener.final("start", name)).status, Started.FAILED);
  assert.equal(await hasWork(name), true);
  assert.deepEqual(
    (await engine.snapshots.list(name)).map((each) => each.name),
    ["mine"],
  );
});

test("what was to be deleted was deleted by hand and made again: the new one stays", async () => {
  const steps = await noted(engine, name);
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "delete",
    container: name,
    steps,
  });
  await byHand("delete", "--force", name);
  await byHand("init", "--empty", name);
  const { config } = await instance();
  await back();
  const { status: end, failureReason } = await daemon.listener.final("delete", name);
  assert.equal(end, Deleted.FAILED);
  assert.match(failureReason, /is another one than/);
  assert.equal((await instance()).config["volatile.uuid"], config["volatile.uuid"]);
});

test("what was to be deleted was deleted and brought back from a backup of the engine's: it stays", async () => {
  const file = join(daemon.folder, `${name}.backup`);
  await byHand("export", name, file);
  const steps = await noted(engine, name);
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "delete",
    container: name,
    steps,
  });
  await byHand("delete", "--force", name);
  await byHand("import", file);
  await back();
  assert.equal((await daemon.listener.final("delete", name)).status, Deleted.FAILED);
  assert.equal((await instance()).name, name);
});

for (const [act, gesture] of [
  ["started", (of: string) => byHand("start", of)],
  ["renamed", (of: string) => byHand("rename", of, `${of}-kept`)],
] as const) {
  test(`what was to be deleted was ${act} by hand: it stays`, async () => {
    const steps = await noted(engine, name);
    await daemon.kill();
    await leaveOperation(daemon, {
      id,
      kind: "delete",
      container: name,
      steps,
    });
    await gesture(name);
    await back();
    const { status: end, failureReason } = await daemon.listener.final("delete", name);
    assert.equal(end, Deleted.FAILED);
    assert.match(failureReason, act === "started" ? /was started again since/ : /is called .*-kept by now/);
    const now = act === "started" ? name : `${name}-kept`;
    assert.equal(await status(now), act === "started" ? instanceStatus.running : instanceStatus.stopped);
  });
}

test("what was to be stopped was stopped and started by hand: it goes on", async () => {
  await startContainer(daemon, name);
  const steps = await noted(engine, name);
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "stop",
    container: name,
    steps,
  });
  await byHand("stop", "--force", name);
  await byHand("start", name);
  await back();
  const { status: end, failureReason } = await daemon.listener.final("stop", name);
  assert.equal(end, Stopped.FAILED);
  assert.match(failureReason, /was started again since/);
  assert.equal(await status(), instanceStatus.running);
});

test("what was to be stopped and was left alone is stopped", async () => {
  await startContainer(daemon, name);
  const steps = await noted(engine, name);
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "stop",
    container: name,
    steps,
  });
  await back();
  assert.equal((await daemon.listener.final("stop", name)).status, Stopped.STOPPED);
  assert.equal(await status(), instanceStatus.stopped);
});

/** A container with the snapshot of an upgrade, as it is while an undo is under way. */
async function undoing(runs: "yes" | "no"): Promise<{ snapshot: string; steps: Record<string, string> }> {
  const upgrade = "fedcba9876543210";
  const snapshot = `tremplin-upgrade-${upgrade}`;
  await byHand("config", "set", name, `user.tremplin.operation=${upgrade}`);
  await byHand("snapshot", name, snapshot);
  await byHand("config", "unset", name, "user.tremplin.operation");
  if (runs === "yes") await byHand("start", name);
  const steps = { ...(await noted(engine, name)), runs, snapshot, back: "done" };
  await byHand("config", "set", name, `user.tremplin.operation=${id}-back`);
  return { snapshot, steps };
}

test("an undo that the engine had finished, and days of work since: the work stays", async () => {
  const { snapshot, steps } = await undoing("yes");
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "undo-upgrade",
    container: name,
    steps,
  });
  await byHand("stop", "--force", name);
  await byHand("restore", name, snapshot);
  await byHand("start", name);
  await touch(name);
  await back();
  const { status: end, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(end, Upgraded.SUCCEEDED, failureReason);
  assert.equal(await status(), instanceStatus.running);
  assert.equal(await hasWork(name), true);
  assert.equal((await instance()).config["user.tremplin.operation"], undefined);
});

test("an undo that had not come to its restore, and days of work since: the work stays, and it says so", async () => {
  const { snapshot, steps } = await undoing("no");
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "undo-upgrade",
    container: name,
    steps,
  });
  await byHand("start", name);
  await touch(name);
  await back();
  const { status: end, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(end, Upgraded.FAILED);
  assert.match(failureReason, /was started again since, so nothing more was done to it/);
  assert.equal(await status(), instanceStatus.running);
  assert.equal(await hasWork(name), true);
  assert.deepEqual(
    (await engine.snapshots.list(name)).map((each) => each.name),
    [snapshot],
  );
});

test("an undo that was left alone is carried to its end", async () => {
  const { steps } = await undoing("yes");
  await touch(name);
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "undo-upgrade",
    container: name,
    steps,
  });
  await back();
  assert.equal((await daemon.listener.final("upgrade", name)).status, Upgraded.SUCCEEDED);
  assert.equal(await status(), instanceStatus.running);
  assert.equal(await hasWork(name), false);
  assert.deepEqual(await engine.snapshots.list(name), []);
});

test("an upgrade whose snapshot somebody deleted: what runs is not killed, and it says so", async () => {
  await startContainer(daemon, name);
  const steps = { ...(await noted(engine, name)), saved: "done", failed: "a package failed" };
  await byHand("config", "set", name, `user.tremplin.operation=${id}`);
  await byHand("exec", name, "--", "touch", "/run/still-the-same");
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "upgrade",
    container: name,
    steps,
  });
  await back();
  const { status: end, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(end, Upgraded.FAILED);
  assert.match(
    failureReason,
    /^a package failed; .*the snapshot .* is gone, so the container was left as it is/,
  );
  assert.equal(await status(), instanceStatus.running);
  await inContainer(daemon, name, "stat", "/run/still-the-same");
});

test("an upgrade was killed and the container used since: it is not put back, and its snapshot stays for a while", async () => {
  await byHand("config", "set", name, `user.tremplin.operation=${id}`);
  await byHand("snapshot", name, `tremplin-upgrade-${id}`);
  const steps = { ...(await noted(engine, name)), saved: "done" };
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "upgrade",
    container: name,
    steps,
  });
  await byHand("start", name);
  await touch(name);
  await back();
  const { status: end, failureReason } = await daemon.listener.final("upgrade", name);
  assert.equal(end, Upgraded.FAILED);
  assert.match(failureReason, /was started again since.*--undo restores it$/);
  assert.equal(await hasWork(name), true);
  const [snapshot] = await engine.snapshots.list(name);
  assert.ok(Date.parse(snapshot?.expires_at ?? "") > Date.now());
});

/** An import between its two renames. */
async function swapping(): Promise<{ old: string; fresh: string; steps: Record<string, string> }> {
  const [old, fresh] = [`tremplin-aside-${id}`, `tremplin-import-${id}`];
  await byHand("init", "--empty", fresh);
  await startContainer(daemon, name);
  const steps = { ...(await noted(engine, name)), ran: "done" };
  await byHand("stop", "--force", name);
  await byHand("rename", name, old);
  const uuid = (await instance(fresh)).config["volatile.uuid"] ?? "";
  return { old, fresh, steps: { ...steps, fresh: uuid } };
}

test("an import between its renames, and somebody made the name again: theirs is left stopped, the old one is seen", async () => {
  const { steps } = await swapping();
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "import",
    container: name,
    steps,
  });
  await byHand("init", "--empty", name);
  const { config } = await instance();
  await back();
  const { status: end, failureReason } = await daemon.listener.final("import", name);
  assert.equal(end, Imported.FAILED);
  assert.match(failureReason, new RegExp(`the one of before is called ${name}-before-import now$`));
  assert.equal((await instance()).config["volatile.uuid"], config["volatile.uuid"]);
  assert.equal(await status(), instanceStatus.stopped);
  assert.equal(await status(`${name}-before-import`), instanceStatus.running);
  const all = (await engine.instances.list()).map((each) => each.name);
  assert.deepEqual(
    all.filter((each) => each.startsWith("tremplin-")),
    [],
  );
});

test("an import between its renames that was left alone: the old one has its name again and runs", async () => {
  const { steps } = await swapping();
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "import",
    container: name,
    steps,
  });
  await back();
  const { status: end, failureReason } = await daemon.listener.final("import", name);
  assert.equal(end, Imported.FAILED);
  assert.match(failureReason, /is as it was before; import it again$/);
  assert.equal(await status(), instanceStatus.running);
});

test("an import that had swapped, and somebody used the old one: it is left, under a name that is seen", async () => {
  const { old, fresh, steps } = await swapping();
  await daemon.kill();
  await byHand("rename", fresh, name);
  await leaveOperation(daemon, { id, kind: "import", container: name, steps: { ...steps, swapped: "done" } });
  await byHand("start", old);
  await touch(old);
  await byHand("stop", "--force", old);
  await back();
  assert.equal((await daemon.listener.final("import", name)).status, Imported.DONE);
  assert.equal(await hasWork(`${name}-before-import`), true);
});

test("a start days ago, and somebody works in what is half changed: its snapshot is kept for seven more days", async () => {
  await startContainer(daemon, name);
  const steps = { ...(await noted(engine, name)), saved: "done" };
  await daemon.kill();
  await byHand("config", "set", name, `user.tremplin.operation=${id}`);
  await byHand("snapshot", name, `tremplin-remap-${id}`);
  await byHand("exec", name, "--", "chown", "12", "/");
  await byHand("restart", "--force", name);
  const startedAt = Date.now() - 8 * DAY;
  await leaveOperation(daemon, { id, kind: "start", container: name, steps, startedAt });
  await back();
  const { status: end, failureReason } = await daemon.listener.final("start", name);
  assert.equal(end, Started.FAILED);
  assert.match(failureReason, /is kept for seven days$/);
  const [snapshot] = await engine.snapshots.list(name);
  assert.ok(Date.parse(snapshot?.expires_at ?? "") > Date.now() + 6 * DAY, snapshot?.expires_at);
});

test("a delete that had not begun, and somebody set a key since: it stays", async () => {
  await daemon.kill();
  await leaveOperation(daemon, { id, kind: "delete", container: name, steps: {} });
  await byHand("config", "set", name, "user.mine=yes");
  await back();
  const { status: end, failureReason } = await daemon.listener.final("delete", name);
  assert.equal(end, Deleted.FAILED);
  assert.match(failureReason, /; delete it again$/);
  assert.equal((await instance()).config["user.mine"], "yes");
});

test("a delete of which only the acceptance was noted, by a clock that was set back since: it keeps its hands off", async () => {
  await daemon.kill();
  await leaveOperation(daemon, {
    id,
    kind: "delete",
    container: name,
    steps: {},
    startedAt: Date.now() + 365 * DAY,
  });
  await byHand("delete", "--force", name);
  await byHand("init", "--empty", name);
  const { config } = await instance();
  await back();
  assert.equal((await daemon.listener.final("delete", name)).status, Deleted.FAILED);
  assert.equal((await instance()).config["volatile.uuid"], config["volatile.uuid"]);
});
