import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationBench, until } from "../../../test/support/operation-bench.ts";
import { ContainerStartProgress_Status as Status } from "../../contract/tremplin_pb.js";

const request = { containerName: "c1" };

async function benchWithRunning(): Promise<OperationBench> {
  const bench = await OperationBench.open();
  await bench.actions.create("c1");
  await bench.actions.act("c1", "start");
  return bench;
}

test("a running container is stopped and started, whether it shuts down or has to be killed", async () => {
  await using bench = await benchWithRunning();
  for (const isStubborn of [false, true]) {
    bench.engine.instance("c1").isStubborn = isStubborn;
    const { lastUsedAt } = bench.engine.instance("c1");
    const { progress, final } = await bench.run("restart", request);
    assert.deepEqual(
      progress.map(({ status }) => status),
      [Status.STARTING],
    );
    assert.deepEqual([final.status, final.failureReason], [Status.STARTED, ""]);
    assert.equal(bench.engine.instance("c1").status, "Running");
    assert.notEqual(bench.engine.instance("c1").lastUsedAt, lastUsedAt);
  }
});

test("its settings and devices stay as they are", async () => {
  await using bench = await benchWithRunning();
  const devices = { data: { type: "disk", source: "/srv", path: "/srv" } };
  Object.assign(bench.engine.instance("c1"), { devices });
  await bench.run("restart", request);
  assert.deepEqual(bench.engine.instance("c1").devices, devices);
});

test("a stopped, frozen, ephemeral or missing container is left as it is", async () => {
  await using bench = await benchWithRunning();
  const reason = async () => (await bench.run("restart", request)).final.failureReason;
  await bench.actions.act("c1", "freeze");
  assert.match(await reason(), /c1 is frozen; stop it and start it/);
  await bench.actions.act("c1", "unfreeze");
  bench.engine.instance("c1").ephemeral = true;
  assert.match(await reason(), /is ephemeral/);
  assert.equal(bench.engine.instance("c1").status, "Running");
  bench.engine.instance("c1").ephemeral = false;
  await bench.actions.act("c1", "stop");
  assert.match(await reason(), /c1 is not running; start it first/);
  assert.equal(bench.engine.instance("c1").status, "Stopped");
  await bench.actions.delete("c1");
  assert.match(await reason(), /there is no container c1/);
});

test("where it cannot be started again, the reason says so", async () => {
  await using bench = await benchWithRunning();
  const held = bench.engine.hold("PUT", /state$/);
  const id = await bench.begin("restart", request);
  await held.reached;
  bench.engine.failNext("PUT", /state$/, "the disk is full");
  held.release();
  const { final } = await bench.outcome(id);
  assert.deepEqual([final.status, bench.engine.instance("c1").status], [Status.FAILED, "Stopped"]);
  assert.match(final.failureReason, /the disk is full/);
});

test("a daemon that died before it stopped anything leaves the container alone", async () => {
  for (const step of ["accepted", "container"]) {
    await using bench = await benchWithRunning();
    const { lastUsedAt } = bench.engine.instance("c1");
    const id = await bench.beginUntilStep("restart", step, request);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.equal(status, Status.FAILED);
    assert.equal(failureReason, "the daemon died while it restarted c1; restart it again");
    assert.equal(bench.engine.instance("c1").lastUsedAt, lastUsedAt);
  }
});

test("a container that was stopped for it when the daemon died is started by the next one", async () => {
  await using bench = await benchWithRunning();
  const id = await bench.beginUntilStep("restart", "stopping", request);
  await until(() => bench.engine.instance("c1").status === "Stopped");
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.STARTED);
  assert.equal(bench.engine.instance("c1").status, "Running");
});

test("a container that a person may have stopped after the daemon died stays stopped", async () => {
  await using bench = await benchWithRunning();
  const id = await bench.beginUntilStep("restart", "down", request);
  assert.equal(bench.engine.instance("c1").status, "Running");
  await bench.actions.act("c1", "stop");
  await bench.restart();
  const { status, failureReason } = (await bench.outcome(id)).final;
  assert.deepEqual([status, bench.engine.instance("c1").status], [Status.FAILED, "Stopped"]);
  assert.match(failureReason, /perhaps somebody stopped it .* so it was left stopped; start it/);
});

test("one that runs again by then is STARTED, one of another name is left alone", async () => {
  const afterCrash = async (act: (bench: OperationBench) => Promise<unknown>) => {
    await using bench = await benchWithRunning();
    const id = await bench.beginUntilStep("restart", "down", request);
    await bench.actions.act("c1", "stop");
    await act(bench);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    const left = [...bench.engine.holdings.instances.values()].map((each) => [each.name, each.status]);
    return { status, failureReason, left };
  };
  const started = await afterCrash(({ actions }) => actions.act("c1", "start"));
  assert.equal(started.status, Status.STARTED);
  const renamed = await afterCrash(({ actions }) => actions.rename("c1", "c2"));
  assert.match(renamed.failureReason, /was renamed to c2/);
  assert.deepEqual(renamed.left, [["c2", "Stopped"]]);
});

test("one that does not start after the crash is FAILED with the reason, and free for other operations", async () => {
  await using bench = await benchWithRunning();
  const id = await bench.beginUntilStep("restart", "stopping", request);
  await until(() => bench.engine.instance("c1").status === "Stopped");
  bench.engine.failNext("PUT", /state$/, "the disk is full");
  await bench.restart();
  const { status, failureReason } = (await bench.outcome(id)).final;
  assert.equal(status, Status.FAILED);
  assert.match(failureReason, /it was stopped, and does not start again: .*the disk is full/);
  assert.equal((await bench.run("start", request)).final.status, Status.STARTED);
});
