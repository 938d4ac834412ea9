import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createShifted,
  running,
  traces,
  untouched,
} from "../../../../test/support/operation-bench/start-traces.ts";
import { OperationBench } from "../../../../test/support/operation-bench.ts";
import {
  StartContainerRequest_PrivilegeLevel as Level,
  ContainerStartProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1" };
const privileged = { ...request, privilegeLevel: Level.PRIVILEGED };

/** The daemon dies behind a step of a start, a user does something, and the next daemon recovers. */
async function diedAndMeanwhile(bench: OperationBench, step: string, meanwhile: () => Promise<unknown>) {
  await createShifted(bench);
  await bench.actions.snapshot("c1", "mine");
  const id = await bench.beginUntilStep("start", step, privileged);
  await meanwhile();
  await bench.restart();
  return { ...(await bench.outcome(id)).final, snapshot: `tremplin-remap-${id}` };
}

for (const step of ["accepted", "container", "saved"]) {
  test(`when the daemon dies behind the step ${step} the container is as before`, async () => {
    await using bench = await OperationBench.open();
    await createShifted(bench);
    const before = await bench.actions.get("c1");
    const id = await bench.beginUntilStep("start", step, privileged);
    await bench.restart();
    const { final } = await bench.outcome(id);
    assert.equal(final.status, Status.FAILED);
    assert.equal(final.failureReason, "the daemon died while it started c1; start it again");
    assert.deepEqual(traces(bench), untouched);
    const { config } = await bench.actions.get("c1");
    assert.equal(config["volatile.last_state.idmap"], before.config["volatile.last_state.idmap"]);
    assert.equal((await bench.run("start", request)).final.status, Status.STARTED);
  });
}

test("when the daemon dies while the engine starts it, the next one finds it running", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1");
  const held = bench.engine.hold("PUT", /state$/);
  const id = await bench.begin("start", request);
  await held.reached;
  await bench.kill();
  const recovered = bench.restart();
  held.release();
  await recovered;
  assert.equal((await bench.outcome(id)).final.status, Status.STARTED);
  assert.deepEqual(traces(bench), running);
});

test("when the engine dies in the middle the start is rolled back once it answers again", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1");
  const held = bench.engine.hold("PUT", /state$/);
  const id = await bench.begin("start", request);
  await held.reached;
  await bench.engine.die();
  await bench.engine.revive();
  const { final } = await bench.outcome(id);
  assert.equal(final.status, Status.FAILED);
  assert.equal(final.failureReason, "the engine died while it started c1; start it again");
  assert.deepEqual(traces(bench), untouched);
});

test("a container that a user started since is left running, and needs its snapshot no more", async () => {
  await using bench = await OperationBench.open();
  const { actions: hands } = bench;
  const { status } = await diedAndMeanwhile(bench, "saved", () => hands.act("c1", "start"));
  assert.equal(status, Status.STARTED);
  assert.deepEqual(traces(bench), { ...running, snapshots: ["mine"] });
});

test("a container that a user started over half changed owners keeps its snapshot for seven days", async () => {
  await using bench = await OperationBench.open();
  const { status, failureReason, snapshot } = await diedAndMeanwhile(bench, "saved", async () => {
    const { files } = bench.engine.instance("c1");
    files.set("/", { type: "directory", content: Buffer.alloc(0), uid: 100_000, gid: 100_000, mode: 0o755 });
    await bench.actions.act("c1", "start");
  });
  assert.equal(status, Status.FAILED);
  assert.match(failureReason, /was started again while the owners of its files were half changed/);
  assert.deepEqual(traces(bench), { ...untouched, status: "Running", snapshots: ["mine", snapshot] });
  const { expires_at } = await bench.client.snapshots.get("c1", snapshot);
  const days = (Date.parse(expires_at) - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days < 7.1, expires_at);
});

test("what a user set since is kept, what the files became since is rolled back", async () => {
  await using bench = await OperationBench.open();
  const { actions: hands } = bench;
  await diedAndMeanwhile(bench, "saved", async () => {
    await hands.set("c1", { "user.own": "yes" });
    await hands.write("c1", "/half-changed", "");
  });
  assert.deepEqual(traces(bench), { ...untouched, snapshots: ["mine"] });
  assert.equal((await hands.get("c1")).config["user.own"], "yes");
  assert.equal(bench.engine.instance("c1").files.read("/half-changed"), undefined);
});

test("a container that a user restored from another snapshot stays there", async () => {
  await using bench = await OperationBench.open();
  const { actions: hands } = bench;
  await diedAndMeanwhile(bench, "saved", async () => {
    await hands.restore("c1", "mine");
    await hands.write("c1", "/own", "text");
  });
  assert.deepEqual(traces(bench), { ...untouched, snapshots: ["mine"] });
  assert.equal(await hands.read("c1", "/own"), "text");
});

test("a container that a user renamed since is not touched", async () => {
  await using bench = await OperationBench.open();
  const { actions: hands } = bench;
  const { status, failureReason } = await diedAndMeanwhile(bench, "container", () =>
    hands.rename("c1", "c2"),
  );
  assert.equal(status, Status.FAILED);
  assert.match(failureReason, /the container was renamed to c2/);
  assert.deepEqual(traces(bench, "c2"), { ...untouched, snapshots: ["mine"] });
});

test("another container that has the name since is not touched", async () => {
  await using bench = await OperationBench.open();
  const { actions: hands } = bench;
  const { status, failureReason } = await diedAndMeanwhile(bench, "saved", async () => {
    await hands.delete("c1");
    await hands.create("c1");
    await hands.snapshot("c1", "theirs");
  });
  assert.equal(status, Status.FAILED);
  assert.match(failureReason, /the container c1 is not the one of the request any more/);
  assert.deepEqual(traces(bench), { ...untouched, snapshots: ["theirs"] });
});

test("a container that is gone since is said to be", async () => {
  await using bench = await OperationBench.open();
  const { status, failureReason } = await diedAndMeanwhile(bench, "saved", () => bench.actions.delete("c1"));
  assert.deepEqual([status, failureReason], [Status.FAILED, "there is no container c1 any more"]);
});
