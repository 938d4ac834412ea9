import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationBench } from "../../../../test/support/operation-bench.ts";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const wanted = { containerName: "c1", snapshotName: "s1" };

async function benchWith(state: "running" | "stopped"): Promise<OperationBench> {
  const bench = await OperationBench.open();
  await bench.actions.create("c1");
  if (state === "running") await bench.actions.act("c1", "start");
  return bench;
}

/** A container that was changed since its snapshot s1. */
async function benchChangedSince(state: "running" | "stopped"): Promise<OperationBench> {
  const bench = await benchWith(state);
  bench.engine.instance("c1").files.write("/root/text", "before");
  await bench.run("snapshot", wanted);
  bench.engine.instance("c1").files.write("/root/text", "after");
  return bench;
}

function leftOf({ engine }: OperationBench, name = "c1") {
  const { files, status, config, snapshots } = engine.instance(name);
  const mark = config["user.tremplin.operation"];
  return { text: files.read("/root/text"), status, mark, snapshots: snapshots.map((each) => each.name) };
}

test("a snapshot is taken of a running and of a stopped container, with the time at which it goes", async () => {
  for (const state of ["running", "stopped"] as const) {
    await using bench = await benchWith(state);
    const { progress, final } = await bench.run("snapshot", { ...wanted, lifetimeSeconds: 60n });
    assert.deepEqual(progress[0]?.progressMessages, ["taking the snapshot s1"]);
    assert.deepEqual([final.status, final.failureReason], [Status.SUCCEEDED, ""]);
    const [taken] = bench.engine.instance("c1").snapshots;
    const remaining = Date.parse(taken?.expiresAt ?? "") - bench.daemon.clock.now();
    assert.ok(remaining > 40_000 && remaining <= 60_000);
    assert.equal(taken?.config["user.tremplin.operation"], undefined);
  }
});

test("a stopped container that was returned to a snapshot of a running one does not count as running", async () => {
  await using bench = await benchChangedSince("running");
  await bench.actions.act("c1", "stop");
  await bench.run("restore", wanted);
  const { status, config } = bench.engine.instance("c1");
  assert.deepEqual([status, config["volatile.last_state.power"]], ["Stopped", "STOPPED"]);
});

test("a taken name or a missing container FAILED, and changes nothing", async () => {
  await using bench = await benchChangedSince("stopped");
  const taken = (await bench.run("snapshot", wanted)).final;
  assert.equal(taken.status, Status.FAILED);
  assert.deepEqual(taken.progressMessages, ["taking a snapshot failed"]);
  assert.match(taken.failureReason, /has a snapshot s1 already; choose another name, or delete it first/);
  assert.deepEqual(leftOf(bench).snapshots, ["s1"]);
  const missing = (await bench.run("snapshot", { ...wanted, containerName: "c2" })).final;
  assert.equal(missing.failureReason, "there is no container c2");
});

test("where files vanish meanwhile the container is frozen for it, and never stays so", async () => {
  for (const isKilled of [false, true]) {
    await using bench = await benchWith("running");
    bench.engine.failNext("POST", /snapshots$/, "lstat /x: no such file or directory");
    if (isKilled) {
      const id = await bench.beginUntilStep("snapshot", "paused", wanted);
      await bench.actions.act("c1", "freeze");
      await bench.restart();
      assert.equal((await bench.outcome(id)).final.status, Status.FAILED);
    } else {
      assert.equal((await bench.run("snapshot", wanted)).final.status, Status.SUCCEEDED);
    }
    assert.equal(leftOf(bench).status, "Running");
  }
});

test("a snapshot that is cancelled, or whose daemon dies, is there or is not, and the notice says which", async () => {
  for (const completes of [true, false]) {
    await using bench = await benchWith("stopped");
    const held = bench.engine.hold("POST", /snapshots$/);
    const id = await bench.begin("snapshot", wanted);
    await held.reached;
    bench.cancel("snapshot");
    if (completes) held.release();
    else held.fail("no");
    const { status } = (await bench.outcome(id)).final;
    assert.equal(status, completes ? Status.SUCCEEDED : Status.FAILED);
    assert.deepEqual(leftOf(bench).snapshots, completes ? ["s1"] : []);
  }
  await using bench = await benchWith("stopped");
  const id = await bench.beginUntilStep("snapshot", "container", wanted);
  await bench.restart();
  const { failureReason } = (await bench.outcome(id)).final;
  assert.equal(failureReason, "the daemon died before the snapshot of c1 was taken; take it again");
});

test("a restore returns files and state, and keeps the snapshots", async () => {
  for (const state of ["running", "stopped"] as const) {
    await using bench = await benchChangedSince(state);
    await bench.actions.snapshot("c1", "later");
    const { final } = await bench.run("restore", wanted);
    assert.deepEqual([final.status, final.failureReason], [Status.SUCCEEDED, ""]);
    const status = state === "running" ? "Running" : "Stopped";
    assert.deepEqual(leftOf(bench), { text: "before", status, mark: undefined, snapshots: ["s1", "later"] });
  }
});

test("a snapshot of a container that was copied or renamed shows none of another's files when it starts", async () => {
  for (const step of ["back", "undone", undefined]) {
    await using bench = await benchChangedSince("running");
    const token = (name: string) => ({ type: "disk", source: `${bench.state}/tokens/${name}_token` });
    const container = bench.engine.instance("c1");
    const [snapshot] = container.snapshots;
    Object.assign(snapshot ?? {}, { devices: { ...snapshot?.devices, container_token: token("c2") } });
    const id = await (step ? bench.beginUntilStep("restore", step, wanted) : bench.begin("restore", wanted));
    if (step) await bench.restart();
    assert.equal((await bench.outcome(id)).final.status, Status.SUCCEEDED, step);
    assert.deepEqual(bench.engine.instance("c1").devices.container_token, token("c1"), step);
  }
});

test("a missing snapshot and one of an upgrade are refused, and nothing changes", async () => {
  await using bench = await benchChangedSince("running");
  const before = leftOf(bench);
  const missing = (await bench.run("restore", { ...wanted, snapshotName: "s2" })).final;
  assert.match(missing.failureReason, /there is no snapshot s2 of c1/);
  assert.deepEqual(leftOf(bench), before);
  const { config } = bench.engine.instance("c1");
  const id = "0123456789abcdef";
  bench.engine.instance("c1").config = { ...config, "user.tremplin.operation": id };
  await bench.actions.snapshot("c1", `tremplin-upgrade-${id}`);
  bench.engine.instance("c1").config = config;
  const own = (await bench.run("restore", { ...wanted, snapshotName: `tremplin-upgrade-${id}` })).final;
  assert.match(own.failureReason, /rollback snapshot of the upgrade of c1: tremplin upgrade c1 --rollback/);
  assert.equal(leftOf(bench).text, "after");
});

test("where the engine cannot restore, the container runs again as it was", async () => {
  await using bench = await benchChangedSince("running");
  bench.engine.hold("PUT", /c1$/).release();
  bench.engine.failNext("PUT", /c1$/, "the pool is broken");
  const { final } = await bench.run("restore", wanted);
  assert.match(final.failureReason, /the pool is broken; c1 runs again/);
  assert.deepEqual(leftOf(bench), { text: "after", status: "Running", mark: undefined, snapshots: ["s1"] });
});

test("a restore that a crash interrupted is completed once it had begun, and left alone before", async () => {
  const steps = ["accepted", "container", "runs", "mark", "back", "undone"];
  for (const step of steps) {
    await using bench = await benchChangedSince("running");
    const id = await bench.beginUntilStep("restore", step, wanted);
    await bench.restart();
    const { status } = (await bench.outcome(id)).final;
    const hasBegun = step === "back" || step === "undone";
    assert.equal(status, hasBegun ? Status.SUCCEEDED : Status.FAILED, step);
    const text = hasBegun ? "before" : "after";
    assert.deepEqual(leftOf(bench), { text, status: "Running", mark: undefined, snapshots: ["s1"] }, step);
  }
});

test("what a user did since a crash stays", async () => {
  const afterCrash = async (act: (bench: OperationBench) => Promise<unknown>) => {
    await using bench = await benchChangedSince("stopped");
    await bench.actions.set("c1", { "user.note": "other" });
    await bench.actions.snapshot("c1", "other");
    const id = await bench.beginUntilStep("restore", "back", wanted);
    await act(bench);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    const [name = ""] = bench.engine.holdings.instances.keys();
    return { status, failureReason, text: leftOf(bench, name).text };
  };
  const used = await afterCrash(async ({ actions }) => {
    await actions.act("c1", "start");
    await actions.act("c1", "stop");
  });
  assert.deepEqual([used.status, used.text], [Status.FAILED, "after"]);
  assert.match(used.failureReason, /its files may be a mix .*: tremplin restore c1 s1 puts that right$/);
  const restored = await afterCrash(({ actions }) => actions.restore("c1", "other"));
  assert.deepEqual([restored.status, restored.text], [Status.FAILED, "after"]);
  assert.match(restored.failureReason, /restored or changed since by somebody else/);
  assert.doesNotMatch(restored.failureReason, /a mix/);
  const renamed = await afterCrash(({ actions }) => actions.rename("c1", "c2"));
  assert.match(renamed.failureReason, /was renamed to c2/);
});
