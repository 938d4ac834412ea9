import assert from "node:assert/strict";
import { test } from "node:test";
import { UpgradeContainerProgress_Status as Upgraded } from "../../src/contract/tremplin_pb.js";
import { instanceStatus } from "../../src/engine/resources/instance.ts";
import { inContainer } from "../support/in-container.ts";
import { InterruptedContainer } from "../support/interrupted-container.ts";
import { startContainer } from "../support/tiny-container.ts";

/** Like user-changes.test.ts, for upgrades and their rollbacks. */
const at = new InterruptedContainer("up");

/** A container with a rollback snapshot, during a rollback. */
async function duringRollback(
  runs: "yes" | "no",
): Promise<{ snapshot: string; steps: Record<string, string> }> {
  const upgrade = "fedcba9876543210";
  const snapshot = `tremplin-upgrade-${upgrade}`;
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${upgrade}`);
  await at.byHand("snapshot", at.name, snapshot);
  await at.byHand("config", "unset", at.name, "user.tremplin.operation");
  if (runs === "yes") await at.byHand("start", at.name);
  const steps = { ...(await at.steps()), runs, snapshot, back: "done" };
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}-back`);
  return { snapshot, steps };
}

test("a rollback is interrupted, which the engine completes: work since then stays", async () => {
  const { snapshot, steps } = await duringRollback("yes");
  await at.interrupt("undo-upgrade", steps);
  await at.byHand("stop", "--force", at.name);
  await at.byHand("restore", at.name, snapshot);
  await at.byHand("start", at.name);
  await at.touch(at.name);
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(end, Upgraded.SUCCEEDED, failureReason);
  assert.equal(await at.status(), instanceStatus.running);
  assert.equal(await at.hasFile(at.name), true);
  assert.equal((await at.instance()).config["user.tremplin.operation"], undefined);
});

test("a rollback is interrupted before its restore, and a user uses the container: the work stays", async () => {
  const { snapshot, steps } = await duringRollback("no");
  await at.interrupt("undo-upgrade", steps);
  await at.byHand("start", at.name);
  await at.touch(at.name);
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(end, Upgraded.FAILED);
  assert.match(failureReason, /was started again since, so nothing more was done to it/);
  assert.equal(await at.status(), instanceStatus.running);
  assert.equal(await at.hasFile(at.name), true);
  assert.deepEqual(await at.snapshots(), [snapshot]);
});

test("a rollback is interrupted: recovery completes it", async () => {
  const { steps } = await duringRollback("yes");
  await at.touch(at.name);
  await at.interrupt("undo-upgrade", steps);
  await at.restart();
  assert.equal((await at.daemon.listener.final("upgrade", at.name)).status, Upgraded.SUCCEEDED);
  assert.equal(await at.status(), instanceStatus.running);
  assert.equal(await at.hasFile(at.name), false);
  assert.deepEqual(await at.engine.snapshots.list(at.name), []);
});

test("an upgrade is interrupted, and its snapshot is gone: the container keeps running", async () => {
  await startContainer(at.daemon, at.name);
  const steps = { ...(await at.steps()), saved: "done", failed: "a package failed" };
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}`);
  await at.byHand("exec", at.name, "--", "touch", "/run/still-the-same");
  await at.interrupt("upgrade", steps);
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(end, Upgraded.FAILED);
  assert.match(
    failureReason,
    /^a package failed; .*the snapshot .* is gone, so the container was left as it is/,
  );
  assert.equal(await at.status(), instanceStatus.running);
  await inContainer(at.daemon, at.name, "stat", "/run/still-the-same");
});

test("an upgrade is interrupted, and a user uses the container: no rollback, and the snapshot expires", async () => {
  await at.byHand("config", "set", at.name, `user.tremplin.operation=${at.id}`);
  await at.byHand("snapshot", at.name, `tremplin-upgrade-${at.id}`);
  const steps = { ...(await at.steps()), saved: "done" };
  await at.interrupt("upgrade", steps);
  await at.byHand("start", at.name);
  await at.touch(at.name);
  await at.restart();
  const { status: end, failureReason } = await at.daemon.listener.final("upgrade", at.name);
  assert.equal(end, Upgraded.FAILED);
  assert.match(failureReason, /was started again since.*--rollback restores it$/);
  assert.equal(await at.hasFile(at.name), true);
  const [snapshot] = await at.engine.snapshots.list(at.name);
  assert.ok(Date.parse(snapshot?.expires_at ?? "") > Date.now());
});
