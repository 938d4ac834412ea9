import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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

test("a container is configured, started and marked as provisioned", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1", { devices: { own: { type: "none" } } });
  const { progress, final } = await bench.run("start", { ...privileged, token: "secret" });
  assert.deepEqual(progress, []);
  assert.deepEqual([final.status, final.failureReason], [Status.STARTED, ""]);
  assert.deepEqual(traces(bench), running);
  const { config, devices } = await bench.actions.get("c1");
  assert.equal(config["security.privileged"], "true");
  assert.deepEqual(Object.keys(devices).sort(), ["container_token", "own"]);
  assert.equal(await readFile(devices.container_token?.source ?? "", "utf8"), "secret");
});

test("privilege and devices of an earlier start stay or go as the request says", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1", { config: { "security.privileged": "true" } });
  await bench.run("start", { ...request, token: "secret" });
  await bench.actions.act("c1", "stop");
  const { final } = await bench.run("start", request);
  assert.equal(final.status, Status.STARTED);
  const { config, devices } = await bench.actions.get("c1");
  assert.equal(config["security.privileged"], "true");
  assert.deepEqual(devices, {});
});

test("while the engine is busy STARTING is repeated each 30 s", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1");
  const held = bench.engine.hold("PUT", /state$/);
  const id = await bench.begin("start", request);
  await held.reached;
  for (let count = 1; count <= 2; count++) {
    await bench.daemon.clock.sleeping();
    bench.daemon.clock.advance(30_000);
    await bench.host.progressWith(id, () => bench.host.progress(id).length === count);
  }
  held.release();
  const { progress, final } = await bench.outcome(id);
  assert.deepEqual(
    progress.map(({ status }) => status),
    [Status.STARTING, Status.STARTING],
  );
  assert.equal(final.status, Status.STARTED);
});

test("a container that is not there fails, and so does a privilege level that is none", async () => {
  await using bench = await OperationBench.open();
  const { final } = await bench.run("start", request);
  assert.deepEqual([final.status, final.failureReason], [Status.FAILED, "there is no container c1 any more"]);
  await bench.actions.create("c1");
  const { final: other } = await bench.run("start", { ...request, privilegeLevel: 7 as Level });
  assert.equal(other.status, Status.FAILED);
  assert.match(other.failureReason, /privilege level 7 is unknown/);
  assert.deepEqual(traces(bench), untouched);
});

test("owners that are protected are not changed", async () => {
  await using bench = await OperationBench.open();
  await createShifted(bench);
  await bench.actions.set("c1", { "security.protection.shift": "true" });
  const { final } = await bench.run("start", privileged);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /starting c1 like that changes the owners of all its files/);
  assert.deepEqual(traces(bench), untouched);
  assert.equal((await bench.run("start", request)).final.status, Status.STARTED);
});

for (const [method, path, what] of [
  ["PUT", /c1$/, "its configuration"],
  ["POST", /snapshots$/, "the snapshot of before the id shift"],
  ["PUT", /state$/, "the start"],
] as const) {
  test(`where the engine fails at ${what} the container is as before`, async () => {
    await using bench = await OperationBench.open();
    await createShifted(bench);
    bench.engine.failNext(method, path, "the disk is full");
    const { final } = await bench.run("start", privileged);
    assert.equal(final.status, Status.FAILED);
    assert.match(final.failureReason, /the disk is full/);
    assert.deepEqual(traces(bench), untouched);
  });
}

test("no room for a snapshot does not keep a container from its first start", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1");
  bench.engine.failNext("POST", /snapshots$/, "the disk is full");
  const { final } = await bench.run("start", request);
  assert.equal(final.status, Status.STARTED);
  assert.deepEqual(traces(bench), running);
});

test("a container that runs and cannot be marked is STARTED, and the mark is owed", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1");
  bench.engine.failNext("PUT", /metadata$/, "the disk is full");
  const { final } = await bench.run("start", request);
  assert.equal(final.status, Status.STARTED);
  assert.match(String(await bench.owed()), /not marked as started: .*the disk is full/);
  assert.equal(traces(bench).isProvisioned, false);
  await bench.restart();
  assert.deepEqual(await bench.owed(), []);
  assert.deepEqual(traces(bench), running);
});

test("a start that is cancelled and fails in the engine is CANCELLED; one that succeeds all the same is STARTED", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1");
  for (const fails of [true, false]) {
    const held = bench.engine.hold("PUT", /state$/);
    const id = await bench.begin("start", request);
    await held.reached;
    bench.cancel("start");
    if (fails) held.fail("no");
    else held.release();
    const { final } = await bench.outcome(id);
    assert.equal(final.status, fails ? Status.CANCELLED : Status.STARTED);
    assert.equal(final.failureReason, fails ? "enough" : "");
    assert.deepEqual(traces(bench), fails ? untouched : running);
  }
});
