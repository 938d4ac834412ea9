import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationBench } from "../../../test/support/operation-bench.ts";
import { ContainerStopProgress_Status as Status } from "../../contract/tremplin_pb.js";

const request = { containerName: "c1" };

async function benchWithRunning(): Promise<OperationBench> {
  const bench = await OperationBench.open();
  await bench.actions.create("c1");
  await bench.actions.act("c1", "start");
  return bench;
}

test("a running container is stopped: STOPPING, then STOPPED", async () => {
  await using bench = await benchWithRunning();
  const { progress, final } = await bench.run("stop", request);
  assert.deepEqual(
    progress.map(({ status }) => status),
    [Status.STOPPING],
  );
  assert.deepEqual([final.status, final.failureReason], [Status.STOPPED, ""]);
  assert.equal(bench.engine.instance("c1").status, "Stopped");
});

test("one that does not stop by itself, or is frozen, is killed", async () => {
  await using bench = await benchWithRunning();
  bench.engine.instance("c1").isStubborn = true;
  assert.equal((await bench.run("stop", request)).final.status, Status.STOPPED);
  assert.equal(bench.engine.instance("c1").status, "Stopped");
  await bench.actions.act("c1", "start");
  await bench.actions.act("c1", "freeze");
  assert.equal((await bench.run("stop", request)).final.status, Status.STOPPED);
  assert.equal(bench.engine.instance("c1").status, "Stopped");
});

test("one that is stopped already, or not there at all, is STOPPED", async () => {
  await using bench = await OperationBench.open();
  assert.equal((await bench.run("stop", request)).final.status, Status.STOPPED);
  await bench.actions.create("c1");
  assert.equal((await bench.run("stop", request)).final.status, Status.STOPPED);
});

test("where the engine cannot even kill it the stop FAILED, and it still runs", async () => {
  await using bench = await benchWithRunning();
  for (const words of ["not by itself", "the processes do not die"])
    bench.engine.failNext("PUT", /state$/, words);
  const { final } = await bench.run("stop", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /the processes do not die/);
  assert.equal(bench.engine.instance("c1").status, "Running");
});

test("a stop that is cancelled is CANCELLED where it still runs, STOPPED where it went down all the same", async () => {
  for (const stops of [false, true]) {
    await using bench = await benchWithRunning();
    const held = bench.engine.hold("PUT", /state$/);
    const id = await bench.begin("stop", request);
    await held.reached;
    bench.cancel("stop");
    if (stops) held.release();
    else held.fail("no");
    const { final } = await bench.outcome(id);
    assert.equal(final.status, stops ? Status.STOPPED : Status.CANCELLED);
    assert.equal(bench.engine.instance("c1").status, stops ? "Stopped" : "Running");
  }
});

test("a daemon that died before it had begun leaves the container alone", async () => {
  await using bench = await benchWithRunning();
  const id = await bench.beginUntilStep("stop", "accepted", request);
  await bench.restart();
  const { status, failureReason } = (await bench.outcome(id)).final;
  assert.deepEqual(
    [status, failureReason],
    [Status.FAILED, "the daemon died while it stopped c1; stop it again"],
  );
  assert.equal(bench.engine.instance("c1").status, "Running");
});

test("a daemon that died later has its stop carried to the end", async () => {
  await using bench = await benchWithRunning();
  const id = await bench.beginUntilStep("stop", "container", request);
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.STOPPED);
  assert.equal(bench.engine.instance("c1").status, "Stopped");
});

test("what stopped with its engine while a stop was under way stays stopped at the next start", async () => {
  await using bench = await benchWithRunning();
  await bench.beginUntilStep("stop", "container", request);
  // As a machine that is switched off leaves it.
  const instance = bench.engine.instance("c1");
  Object.assign(instance, { status: "Stopped", pid: 0 });
  await bench.restart();
  assert.equal(bench.engine.instance("c1").config["volatile.last_state.power"], "STOPPED");
});

test("an engine that died in the middle is asked again once it answers", async () => {
  await using bench = await benchWithRunning();
  const held = bench.engine.hold("PUT", /state$/);
  const id = await bench.begin("stop", request);
  await held.reached;
  await bench.engine.die();
  await bench.engine.revive();
  assert.equal((await bench.outcome(id)).final.status, Status.STOPPED);
  assert.equal(bench.engine.instance("c1").status, "Stopped");
});

test("what a user did since the daemon died stays as it is", async (t) => {
  const meanwhile = async (act: (bench: OperationBench) => Promise<unknown>) => {
    await using bench = await benchWithRunning();
    const id = await bench.beginUntilStep("stop", "container", request);
    await bench.actions.act("c1", "stop");
    await act(bench);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    const left = [...bench.engine.holdings.instances.values()].map((each) => [each.name, each.status]);
    return { status, failureReason, left };
  };

  await t.test("it was started again", async () => {
    const { status, failureReason, left } = await meanwhile(({ actions: hands }) => hands.act("c1", "start"));
    assert.equal(status, Status.FAILED);
    assert.match(failureReason, /c1 was started again since/);
    assert.deepEqual(left, [["c1", "Running"]]);
  });

  await t.test("another one has its name", async () => {
    const { status, failureReason, left } = await meanwhile(async ({ actions: hands }) => {
      await hands.delete("c1");
      await hands.create("c1");
      await hands.act("c1", "start");
    });
    assert.equal(status, Status.FAILED);
    assert.match(failureReason, /c1 is not the one of the request any more/);
    assert.deepEqual(left, [["c1", "Running"]]);
  });

  await t.test("it was renamed and runs", async () => {
    const { status, failureReason, left } = await meanwhile(async ({ actions: hands }) => {
      await hands.rename("c1", "c2");
      await hands.act("c2", "start");
    });
    assert.equal(status, Status.FAILED);
    assert.match(failureReason, /was renamed to c2/);
    assert.deepEqual(left, [["c2", "Running"]]);
  });

  await t.test("it is gone, or only stopped", async () => {
    assert.equal((await meanwhile(({ actions: hands }) => hands.delete("c1"))).status, Status.STOPPED);
    assert.equal((await meanwhile(async () => undefined)).status, Status.STOPPED);
  });
});
