import assert from "node:assert/strict";
import { test } from "node:test";
import { leftOf, upgradedBench } from "../../../../test/support/operation-bench/debian.ts";
import type { OperationBench } from "../../../../test/support/operation-bench.ts";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1" };

/** A bench with a container that was upgraded twice, and of which a user took a snapshot. */
async function keepableBench(): Promise<OperationBench> {
  const bench = await upgradedBench(["bookworm", "trixie"]);
  await bench.actions.snapshot("c1", "mine");
  return bench;
}

const kept = { status: "Running", release: "13", mark: undefined, snapshots: ["mine"] };

test("an upgrade is kept: all snapshots from before upgrades go, and nobody else's", async () => {
  await using bench = await keepableBench();
  const { progress, final } = await bench.run("commitUpgrade", request);
  assert.deepEqual(progress, []);
  assert.deepEqual([final.status, final.failureReason], [Status.SUCCEEDED, ""]);
  assert.deepEqual(leftOf(bench), kept);
  assert.equal((await bench.run("commitUpgrade", request)).final.status, Status.SUCCEEDED);
  assert.equal((await bench.run("rollbackUpgrade", request)).final.status, Status.FAILED);
});

test("a container that is not there FAILED, and so does a snapshot that cannot be deleted", async () => {
  await using bench = await keepableBench();
  const missing = (await bench.run("commitUpgrade", { containerName: "c2" })).final;
  assert.deepEqual([missing.status, missing.failureReason], [Status.FAILED, "there is no container c2"]);
  bench.engine.failNext("DELETE", /snapshots/, "the pool is busy");
  const { final } = await bench.run("commitUpgrade", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /the pool is busy/);
  assert.equal(leftOf(bench).snapshots.length, 3);
});

for (const step of ["accepted", "container"]) {
  test(`when the daemon dies behind the step ${step} the next one carries it to its end`, async () => {
    await using bench = await keepableBench();
    const id = await bench.beginUntilStep("commitUpgrade", step, request);
    await bench.restart();
    assert.equal((await bench.outcome(id)).final.status, Status.SUCCEEDED);
    assert.deepEqual(leftOf(bench), kept);
  });
}

test("when the daemon or the engine dies in the middle it is carried to its end", async () => {
  for (const dies of ["daemon", "engine"]) {
    await using bench = await keepableBench();
    const held = bench.engine.hold("DELETE", /snapshots/);
    const id = await bench.begin("commitUpgrade", request);
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
    assert.deepEqual(leftOf(bench), kept);
  }
});

test("a container that a user went on with is kept all the same, one that was renamed or replaced is not", async () => {
  const meanwhile = async (act: (bench: OperationBench) => Promise<unknown>) => {
    await using bench = await keepableBench();
    await bench.actions.act("c1", "stop");
    const id = await bench.beginUntilStep("commitUpgrade", "container", request);
    await act(bench);
    await bench.restart();
    return (await bench.outcome(id)).final.status;
  };
  assert.equal(await meanwhile(({ actions: hands }) => hands.act("c1", "start")), Status.SUCCEEDED);
  assert.equal(await meanwhile(({ actions: hands }) => hands.rename("c1", "c2")), Status.FAILED);
  const replace = async ({ actions: hands }: OperationBench) => {
    await hands.delete("c1");
    await hands.create("c1");
  };
  assert.equal(await meanwhile(replace), Status.FAILED);
});
