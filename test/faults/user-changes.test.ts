import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  ContainerDeletionProgress_Status as Deleted,
  ContainerImportProgress_Status as Imported,
  StartContainerRequest_PrivilegeLevel as Level,
  ContainerStartProgress_Status as Started,
  ContainerStopProgress_Status as Stopped,
} from "../../src/contract/tremplin_pb.js";
import { instanceStatus } from "../../src/engine/resources/instance.ts";
import { eventually } from "../support/eventually.ts";
import { inContainer } from "../support/in-container.ts";
import { InterruptedContainer } from "../support/interrupted-container.ts";
import { untilStep } from "../support/journal.ts";
import { startContainer } from "../support/tiny-container.ts";

/**
 * A daemon is killed in the middle of an operation, and a person works on by hand before it starts again. Recovery leaves
 * alone what the person made.
 */
const at = new InterruptedContainer("hand");
const DAY = 24 * 60 * 60 * 1000;

test("a start is interrupted during its id shift, which the engine completes: work since then stays", async () => {
  await startContainer(at.daemon, at.name);
  await inContainer(
    at.daemon,
    at.name,
    "sh",
    "-c",
    "mkdir /root/many; cd /root/many; i=0; while [ $i -lt 3000 ]; do echo > $i; i=$((i+1)); done",
  );
  await at.daemon.tremplin.stopContainer({ containerName: at.name });
  await at.daemon.listener.final("stop", at.name);
  await at.daemon.tremplin.startContainer({ containerName: at.name, privilegeLevel: Level.PRIVILEGED });
  await untilStep(at.daemon, "saved");
  await at.daemon.kill();
  await eventually("the start", async () =>
    (await at.status()) === instanceStatus.running ? true : undefined,
  );
  await at.touch(at.name);
  await at.byHand("stop", "--force", at.name);
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("start", at.name);
  assert.ok(end === Started.FAILED || end === Started.STARTED, failureReason);
  assert.equal(await at.hasFile(at.name), true);
  assert.deepEqual(await at.engine.snapshots.list(at.name), []);
  await startContainer(at.daemon, at.name);
  assert.equal(await inContainer(at.daemon, at.name, "stat", "-c", "%u", "/", "/root/many/1"), "0\n0");
});

test("a start is interrupted before its id shift, and a user restores another snapshot: recovery keeps that", async () => {
  await startContainer(at.daemon, at.name);
  await at.touch(at.name);
  await at.daemon.tremplin.stopContainer({ containerName: at.name });
  await at.daemon.listener.final("stop", at.name);
  await at.byHand("snapshot", at.name, "mine");
  {
    using files = await at.engine.fileSession(at.name);
    await files.remove("/root/work");
  }
  await at.daemon.kill();
  // As the daemon leaves it between its snapshot and the start.
  await at.byHand("config", "set", at.name, "security.privileged=true", `user.tremplin.operation=${at.id}`);
  await at.byHand("snapshot", at.name, `tremplin-remap-${at.id}`);
  await at.interrupt("start", { ...(await at.steps()), saved: "done" });
  await at.byHand("restore", at.name, "mine");
  await at.restart();
  assert.equal((await at.daemon.listener.final("start", at.name)).status, Started.FAILED);
  assert.equal(await at.hasFile(at.name), true);
  assert.deepEqual(await at.snapshots(), ["mine"]);
});

test("a delete is interrupted, and a user makes another container of that name: it stays", async () => {
  const steps = await at.steps();
  await at.interrupt("delete", steps);
  await at.byHand("delete", "--force", at.name);
  await at.byHand("init", "--empty", at.name);
  const { config } = await at.instance();
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("delete", at.name);
  assert.equal(end, Deleted.FAILED);
  assert.match(failureReason, /is not the one of the request any more/);
  assert.equal((await at.instance()).config["volatile.uuid"], config["volatile.uuid"]);
});

test("a delete is interrupted, and a user restores the container from a backup: it stays", async () => {
  const file = join(at.daemon.folder, `${at.name}.backup`);
  await at.byHand("export", at.name, file);
  const steps = await at.steps();
  await at.interrupt("delete", steps);
  await at.byHand("delete", "--force", at.name);
  await at.byHand("import", file);
  await at.restart();
  assert.equal((await at.daemon.listener.final("delete", at.name)).status, Deleted.FAILED);
  assert.equal((await at.instance()).name, at.name);
});

for (const [act, gesture] of [
  ["started", (of: string) => at.byHand("start", of)],
  ["renamed", (of: string) => at.byHand("rename", of, `${of}-kept`)],
] as const) {
  test(`a delete is interrupted, and the container is ${act} by hand: it stays`, async () => {
    const steps = await at.steps();
    await at.daemon.kill();
    await at.interrupt("delete", steps);
    await gesture(at.name);
    await at.restart();
    const { status: end, failureReason } = await at.daemon.listener.final("delete", at.name);
    assert.equal(end, Deleted.FAILED);
    assert.match(failureReason, act === "started" ? /was started again since/ : /was renamed to .*-kept/);
    const now = act === "started" ? at.name : `${at.name}-kept`;
    assert.equal(await at.status(now), act === "started" ? instanceStatus.running : instanceStatus.stopped);
  });
}

test("a stop is interrupted, and a user stops and starts the container: it keeps running", async () => {
  await startContainer(at.daemon, at.name);
  const steps = await at.steps();
  await at.interrupt("stop", steps);
  await at.byHand("stop", "--force", at.name);
  await at.byHand("start", at.name);
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("stop", at.name);
  assert.equal(end, Stopped.FAILED);
  assert.match(failureReason, /was started again since/);
  assert.equal(await at.status(), instanceStatus.running);
});

test("a stop is interrupted: recovery stops the container", async () => {
  await startContainer(at.daemon, at.name);
  const steps = await at.steps();
  await at.interrupt("stop", steps);
  await at.restart();
  assert.equal((await at.daemon.listener.final("stop", at.name)).status, Stopped.STOPPED);
  assert.equal(await at.status(), instanceStatus.stopped);
});

/** An import between its two renames. */
async function swapping(): Promise<{ old: string; fresh: string; steps: Record<string, string> }> {
  const [old, fresh] = [`tremplin-aside-${at.id}`, `tremplin-import-${at.id}`];
  await at.byHand("init", "--empty", fresh);
  await startContainer(at.daemon, at.name);
  const steps = { ...(await at.steps()), ran: "done" };
  await at.byHand("stop", "--force", at.name);
  await at.byHand("rename", at.name, old);
  const uuid = (await at.instance(fresh)).config["volatile.uuid"] ?? "";
  return { old, fresh, steps: { ...steps, fresh: uuid } };
}

test("an import is interrupted between its renames, and a user makes a container of that name: both stay", async () => {
  const { steps } = await swapping();
  await at.interrupt("import", steps);
  await at.byHand("init", "--empty", at.name);
  const { config } = await at.instance();
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("import", at.name);
  assert.equal(end, Imported.FAILED);
  assert.match(failureReason, new RegExp(`the old one was renamed to ${at.name}-before-import$`));
  assert.equal((await at.instance()).config["volatile.uuid"], config["volatile.uuid"]);
  assert.equal(await at.status(), instanceStatus.stopped);
  assert.equal(await at.status(`${at.name}-before-import`), instanceStatus.running);
  const all = await at.names();
  assert.deepEqual(
    all.filter((each) => each.startsWith("tremplin-")),
    [],
  );
});

test("an import is interrupted between its renames: the old container gets its name back and runs", async () => {
  const { steps } = await swapping();
  await at.interrupt("import", steps);
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("import", at.name);
  assert.equal(end, Imported.FAILED);
  assert.match(failureReason, /is as it was before; import it again$/);
  assert.equal(await at.status(), instanceStatus.running);
});

test("an import is interrupted after its renames, and a user uses the old container: it gets a visible name", async () => {
  const { old, fresh, steps } = await swapping();
  await at.daemon.kill();
  await at.byHand("rename", fresh, at.name);
  await at.interrupt("import", { ...steps, swapped: "done" });
  await at.byHand("start", old);
  await at.touch(old);
  await at.byHand("stop", "--force", old);
  await at.restart();
  assert.equal((await at.daemon.listener.final("import", at.name)).status, Imported.DONE);
  assert.equal(await at.hasFile(`${at.name}-before-import`), true);
});

test("a start was interrupted days ago during its id shift, and a user uses the container: the snapshot stays for seven days", async () => {
  await startContainer(at.daemon, at.name);
  const steps = { ...(await at.steps()), saved: "done" };
  await at.daemon.kill();
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}`);
  await at.byHand("snapshot", at.name, `tremplin-remap-${at.id}`);
  await at.byHand("exec", at.name, "--", "chown", "12", "/");
  await at.byHand("restart", "--force", at.name);
  const startedAt = Date.now() - 8 * DAY;
  await at.interrupt("start", steps, startedAt);
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("start", at.name);
  assert.equal(end, Started.FAILED);
  assert.match(failureReason, /is kept for seven days$/);
  const [snapshot] = await at.engine.snapshots.list(at.name);
  assert.ok(Date.parse(snapshot?.expires_at ?? "") > Date.now() + 6 * DAY, snapshot?.expires_at);
});

test("a delete is interrupted before it began, and a user sets a key: the container stays", async () => {
  await at.interrupt("delete", {});
  await at.byHand("config", "set", at.name, "user.mine=yes");
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("delete", at.name);
  assert.equal(end, Deleted.FAILED);
  assert.match(failureReason, /; delete it again$/);
  assert.equal((await at.instance()).config["user.mine"], "yes");
});

test("a delete is interrupted before it began, and the clock is set back: another container of that name stays", async () => {
  await at.interrupt("delete", {}, Date.now() + 365 * DAY);
  await at.byHand("delete", "--force", at.name);
  await at.byHand("init", "--empty", at.name);
  const { config } = await at.instance();
  await at.restart();
  assert.equal((await at.daemon.listener.final("delete", at.name)).status, Deleted.FAILED);
  assert.equal((await at.instance()).config["volatile.uuid"], config["volatile.uuid"]);
});
