import assert from "node:assert/strict";
import { test } from "node:test";
import { debianBench, leftOf, upgradedBench } from "../../../../test/support/operation-bench/debian.ts";
import type { OperationBench } from "../../../../test/support/operation-bench.ts";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1" };
const asBefore = { status: "Running", release: "11", mark: undefined, snapshots: [] };

/** The container as its upgrade left it. */
function stillUpgraded(bench: OperationBench) {
  return { status: "Running", release: "12", mark: undefined, snapshots: leftOf(bench).snapshots };
}

test("a container is rolled back to what it was before its upgrade, and runs if it did", async () => {
  for (const runs of [true, false]) {
    await using bench = await upgradedBench();
    if (!runs) await bench.actions.act("c1", "stop");
    const { progress, final } = await bench.run("rollbackUpgrade", request);
    assert.deepEqual(
      progress.map(({ status }) => status),
      [Status.IN_PROGRESS],
    );
    assert.deepEqual([final.status, final.failureReason], [Status.SUCCEEDED, ""]);
    assert.deepEqual(leftOf(bench), { ...asBefore, status: runs ? "Running" : "Stopped" });
  }
});

test("a rollback that takes long reports that every 10 s", async () => {
  await using bench = await upgradedBench();
  const held = bench.engine.hold("PUT", /state$/);
  const id = await bench.begin("rollbackUpgrade", request);
  await held.reached;
  await bench.daemon.clock.sleeping();
  bench.daemon.clock.advance(10_000);
  await bench.host.progressWith(id, () => bench.host.progress(id).length === 2);
  held.release();
  assert.equal((await bench.outcome(id)).final.status, Status.SUCCEEDED);
});

test("a container without such a snapshot FAILED, and a snapshot that a user called alike is not taken for one", async () => {
  await using bench = await debianBench();
  await bench.actions.snapshot("c1", "tremplin-upgrade-notes");
  await bench.actions.snapshot("c1", "tremplin-upgrade-0123456789abcdef");
  const { final } = await bench.run("rollbackUpgrade", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /there is no snapshot of c1 from before an upgrade/);
  assert.equal(leftOf(bench).snapshots.length, 2);
  const missing = (await bench.run("rollbackUpgrade", { containerName: "c2" })).final;
  assert.deepEqual([missing.status, missing.failureReason], [Status.FAILED, "there is no container c2"]);
});

test("where the engine cannot restore it, it runs again as it was", async () => {
  await using bench = await upgradedBench();
  // The first change sets the mark, the second is the restore.
  bench.engine.hold("PUT", /c1$/).release();
  bench.engine.failNext("PUT", /c1$/, "the pool is broken");
  const { final } = await bench.run("rollbackUpgrade", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /the pool is broken; c1 runs again/);
  const { status, release, snapshots } = leftOf(bench);
  assert.deepEqual([status, release, snapshots.length], ["Running", "12", 1]);
  assert.deepEqual(leftOf(bench), stillUpgraded(bench));
});

test("a snapshot that cannot be deleted is owed, and goes with the next daemon", async () => {
  await using bench = await upgradedBench();
  bench.engine.failNext("DELETE", /snapshots/, "the pool is busy");
  const { final } = await bench.run("rollbackUpgrade", request);
  assert.equal(final.status, Status.SUCCEEDED);
  assert.match(String(await bench.owed()), /the pool is busy/);
  await bench.restart();
  assert.deepEqual([await bench.owed(), leftOf(bench)], [[], asBefore]);
});

for (const step of ["accepted", "container", "runs", "snapshot"]) {
  test(`when the daemon dies behind the step ${step} nothing was rolled back`, async () => {
    await using bench = await upgradedBench();
    const id = await bench.beginUntilStep("rollbackUpgrade", step, request);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.equal(status, Status.FAILED);
    assert.match(failureReason, /^the daemon died before/);
    assert.deepEqual(leftOf(bench), stillUpgraded(bench));
    assert.equal(leftOf(bench).snapshots.length, 1);
  });
}

for (const step of ["back", "undone"]) {
  test(`when the daemon dies behind the step ${step} the rollback is carried to its end`, async () => {
    await using bench = await upgradedBench();
    const id = await bench.beginUntilStep("rollbackUpgrade", step, request);
    await bench.restart();
    assert.equal((await bench.outcome(id)).final.status, Status.SUCCEEDED);
    assert.deepEqual(leftOf(bench), asBefore);
  });
}

test("when the daemon or the engine dies while the engine restores, the rollback is carried to its end", async () => {
  for (const dies of ["daemon", "engine"]) {
    await using bench = await upgradedBench();
    bench.engine.hold("PUT", /c1$/).release();
    const held = bench.engine.hold("PUT", /c1$/);
    const id = await bench.begin("rollbackUpgrade", request);
    await held.reached;
    if (dies === "daemon") {
      await bench.kill();
      held.release();
      await bench.restart();
    } else {
      await bench.engine.die();
      await bench.engine.revive();
    }
    assert.equal((await bench.outcome(id)).final.status, Status.SUCCEEDED);
    assert.deepEqual(leftOf(bench), asBefore);
  }
});

const cases: [title: string, act: (bench: OperationBench) => Promise<unknown>][] = [
  [
    "restarted it",
    async ({ actions: hands }) => {
      await hands.act("c1", "stop");
      await hands.act("c1", "start");
    },
  ],
  ["changed its settings", ({ actions: hands }) => hands.set("c1", { "user.own": "yes" })],
];
for (const [title, act] of cases) {
  test(`a container is left as it is where a user ${title} since the daemon died`, async () => {
    await using bench = await upgradedBench();
    const id = await bench.beginUntilStep("rollbackUpgrade", "back", request);
    await act(bench);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.equal(status, Status.FAILED);
    assert.match(failureReason, /since, so nothing more was done to it/);
    assert.deepEqual(leftOf(bench), stillUpgraded(bench));
  });
}

test("a container that a user restored from another snapshot since the daemon died stays there", async () => {
  await using bench = await upgradedBench();
  await bench.actions.act("c1", "stop");
  await bench.actions.snapshot("c1", "mine");
  const id = await bench.beginUntilStep("rollbackUpgrade", "back", request);
  await bench.actions.restore("c1", "mine");
  await bench.restart();
  const { status, failureReason } = (await bench.outcome(id)).final;
  assert.equal(status, Status.FAILED);
  assert.match(failureReason, /c1 was restored from another snapshot since/);
  assert.equal(leftOf(bench).release, "12");
});
