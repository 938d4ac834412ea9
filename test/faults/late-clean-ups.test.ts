import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ContainerImportProgress_Status as Imported,
  UpgradeContainerProgress_Status as Upgraded,
} from "../../src/contract/tremplin_pb.js";
import { instanceStatus } from "../../src/engine/resources/instance.ts";
import { InterruptedContainer } from "../support/interrupted-container.ts";
import { startContainer } from "../support/tiny-container.ts";

/**
 * The work of an operation was done, or was being rolled back, when the daemon was killed; only a clean-up was left. A
 * person works on by hand before it starts again: the clean-up is completed, and leaves alone what the person made.
 */
const at = new InterruptedContainer("late");

/** A container that is being upgraded, with the snapshot that was taken before. */
async function upgrading(): Promise<Record<string, string>> {
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}`);
  await at.byHand("snapshot", at.name, `tremplin-upgrade-${at.id}`);
  return { ...(await at.steps()), saved: "done" };
}

test("an upgrade is interrupted after its verification, and the container is gone: it succeeds, and nothing is retried forever", async () => {
  const steps = await upgrading();
  await at.interrupt("upgrade", { ...steps, proven: "Debian 13" });
  await at.byHand("delete", at.name);
  await at.restart();
  assert.equal((await at.daemon.listener.final("upgrade", at.name)).status, Upgraded.SUCCEEDED);
});

for (const [when, steps] of [
  ["after", { proven: "Debian 13" }],
  ["before", {}],
] as const) {
  test(`an upgrade is interrupted ${when} its verification, and the container is renamed: the snapshot expires in seven days`, async () => {
    await at.interrupt("upgrade", { ...(await upgrading()), ...steps });
    await at.byHand("rename", at.name, `${at.name}-kept`);
    await at.restart();
    const [snapshot] = await at.engine.snapshots.list(`${at.name}-kept`);
    assert.ok(Date.parse(snapshot?.expires_at ?? "") > Date.now());
    assert.equal((await at.instance(`${at.name}-kept`)).config["user.tremplin.operation"], undefined);
  });
}

test("an upgrade is interrupted, and a user restores another snapshot: recovery keeps that", async () => {
  await at.writeFile(at.name, "mine");
  await at.byHand("snapshot", at.name, "mine");
  const steps = await upgrading();
  {
    using files = await at.engine.fileSession(at.name);
    await files.remove("/root/mine");
  }
  await at.interrupt("upgrade", steps);
  await at.byHand("restore", at.name, "mine");
  await at.writeFile(at.name, "since");
  await at.restart();
  const { status, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /was restored from another snapshot since/);
  assert.deepEqual([await at.hasFile(at.name, "mine"), await at.hasFile(at.name, "since")], [true, true]);
  assert.deepEqual((await at.snapshots()).sort(), ["mine", `tremplin-upgrade-${at.id}`]);
});

test("an upgrade is interrupted between the mark of its rollback and the step: it is rolled back", async () => {
  const steps = await upgrading();
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}-back`);
  await at.writeFile(at.name, "half-upgraded");
  await at.interrupt("upgrade", steps);
  await at.restart();
  const { status, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /was rolled back to before the upgrade and runs$/);
  assert.equal(await at.hasFile(at.name, "half-upgraded"), false);
  assert.deepEqual(await at.snapshots(), []);
});

test("a rollback is interrupted, and a user restores another snapshot: that and the rollback snapshot stay", async () => {
  const snapshot = "tremplin-upgrade-0011223344556677";
  await at.byHand("snapshot", at.name, "mine");
  await at.byHand("config", "set", at.name, "user.tremplin.operation=0011223344556677");
  await at.byHand("snapshot", at.name, snapshot);
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}-back`);
  await at.interrupt("undo-upgrade", { ...(await at.steps()), runs: "no", snapshot, back: "done" });
  await at.byHand("restore", at.name, "mine");
  await at.writeFile(at.name, "since");
  await at.restart();
  const { status, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(status, Upgraded.FAILED);
  assert.match(failureReason, /was restored from another snapshot since/);
  assert.equal(await at.hasFile(at.name, "since"), true);
  assert.deepEqual((await at.snapshots()).sort(), ["mine", snapshot]);
});

/** An import that has only the old container to delete. */
async function renamed(): Promise<{ old: string; steps: Record<string, string> }> {
  const old = `tremplin-aside-${at.id}`;
  await startContainer(at.daemon, at.name);
  const steps = { ...(await at.steps()), ran: "done" };
  await at.byHand("stop", "--force", at.name);
  await at.byHand("rename", at.name, old);
  await at.byHand("init", "--empty", at.name);
  const fresh = (await at.instance()).config["volatile.uuid"] ?? "";
  return { old, steps: { ...steps, fresh, swapped: "done" } };
}

test("an import has only the old container to delete, and a user starts that: it keeps running, and nothing is retried forever", async () => {
  const { old, steps } = await renamed();
  await at.interrupt("import", steps);
  await at.byHand("start", old);
  await at.restart();
  assert.equal((await at.daemon.listener.final("import", at.name)).status, Imported.DONE);
  assert.equal(await at.status(old), instanceStatus.running);
});

test("an import has only the old container to delete, and a user deletes the new one: the old one gets its name back", async () => {
  const { old, steps } = await renamed();
  const { config } = await at.instance(old);
  await at.interrupt("import", steps);
  await at.byHand("delete", at.name);
  await at.restart();
  const { status, failureReason } = await at.daemon.listener.final("import", at.name);
  assert.equal(status, Imported.FAILED);
  assert.match(failureReason, /a user deleted the new container, so .* is the old one again$/);
  assert.equal((await at.instance()).config["volatile.uuid"], config["volatile.uuid"]);
  assert.equal((await at.names()).includes(old), false);
});

test("an import has only the old container to delete: recovery deletes it", async () => {
  const { old, steps } = await renamed();
  await at.interrupt("import", steps);
  await at.restart();
  assert.equal((await at.daemon.listener.final("import", at.name)).status, Imported.DONE);
  assert.deepEqual([(await at.names()).includes(at.name), (await at.names()).includes(old)], [true, false]);
});

test("recovery deletes the temporary container of an import, also where a profile protects all containers", async () => {
  await at.byHand("init", "--empty", `tremplin-import-${at.id}`);
  await at.interrupt("import", {});
  await at.byHand("profile", "set", "default", "security.protection.delete=true");
  await at.restart();
  await at.byHand("profile", "unset", "default", "security.protection.delete");
  assert.equal((await at.daemon.listener.final("import", at.name)).status, Imported.FAILED);
  assert.equal((await at.names()).includes(`tremplin-import-${at.id}`), false);
});
