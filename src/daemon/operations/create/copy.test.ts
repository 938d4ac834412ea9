import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationBench } from "../../../../test/support/operation-bench.ts";
import { ContainerCreationProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const request = { containerName: "c2", sourceName: "c1" };

async function benchWithSource(): Promise<OperationBench> {
  const bench = await OperationBench.open();
  await bench.actions.create("c1");
  bench.engine.instance("c1").files.write("/root/text", "text");
  bench.engine.instance("c1").files.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  return bench;
}

function names({ engine }: OperationBench): string[] {
  return [...engine.holdings.instances.keys()];
}

test("a running and a stopped container are copied; the source stays as it is", async () => {
  await using bench = await benchWithSource();
  for (const runs of [false, true]) {
    if (runs) await bench.actions.act("c1", "start");
    const { final } = await bench.run("copy", request);
    assert.deepEqual([final.status, final.failureReason], [Status.CREATED, ""]);
    const copy = bench.engine.instance("c2");
    assert.deepEqual([copy.status, copy.files.read("/root/text")], ["Stopped", "text"]);
    assert.equal(copy.files.read("/etc/machine-id"), "");
    const source = bench.engine.instance("c1");
    assert.match(source.files.read("/etc/machine-id") ?? "", /^0123/);
    assert.equal(source.status, runs ? "Running" : "Stopped");
    assert.notEqual(copy.config["volatile.uuid"], source.config["volatile.uuid"]);
    await bench.actions.delete("c2");
  }
});

test("a copy has the settings of its source, but no USB device, token, mark or fixed address of it", async () => {
  await using bench = await benchWithSource();
  const source = bench.engine.instance("c1");
  source.config = { ...source.config, "limits.cpu": "2", "user.tremplin.operation": "x" };
  source.devices = {
    eth0: { type: "nic", network: "br", hwaddr: "00:16:3e:00:00:01", "ipv4.address": "10.0.0.9" },
    data: { type: "disk", source: "/srv", path: "/srv" },
    container_token: { type: "disk", source: "/tokens/c1", path: "/dev/.container_token" },
    "share-1": { type: "disk", source: "/s", path: "/mnt/s", required: "false", "user.tremplin": "share" },
    "/dev/ttyUSB0": { type: "unix-char", path: "/dev/ttyUSB0", "user.tremplin": "usb" },
  };
  await bench.run("copy", request);
  const { config, devices } = bench.engine.instance("c2");
  assert.deepEqual([config["limits.cpu"], config["user.tremplin.operation"]], ["2", undefined]);
  assert.deepEqual(devices, {
    eth0: { type: "nic", network: "br" },
    data: { type: "disk", source: "/srv", path: "/srv" },
  });
});

test("snapshots are copied only on request", async () => {
  await using bench = await benchWithSource();
  await bench.actions.snapshot("c1", "s1");
  await bench.run("copy", request);
  assert.deepEqual(bench.engine.instance("c2").snapshots, []);
  await bench.run("copy", { ...request, containerName: "c3", snapshots: true });
  assert.deepEqual(
    bench.engine.instance("c3").snapshots.map(({ name }) => name),
    ["s1"],
  );
});

test("a missing source, a taken name, a failure and a cancel leave nothing", async () => {
  await using bench = await benchWithSource();
  const missing = (await bench.run("copy", { ...request, sourceName: "c9" })).final;
  assert.deepEqual([missing.status, missing.failureReason], [Status.FAILED, "there is no container c9"]);
  await bench.actions.create("c2");
  assert.match((await bench.run("copy", request)).final.failureReason, /there is a container c2 already/);
  await bench.actions.delete("c2");
  bench.engine.failNext("POST", /instances$/, "the disk is full");
  assert.match((await bench.run("copy", request)).final.failureReason, /the disk is full/);
  const held = bench.engine.hold("POST", /instances$/, { mayCancel: true });
  const id = await bench.begin("copy", request);
  await held.reached;
  bench.cancel("copy", "c2");
  assert.equal((await bench.outcome(id)).final.status, Status.CANCELLED);
  assert.deepEqual(names(bench), ["c1"]);
});

test("after a crash the copy is there whole, or not at all", async () => {
  for (const step of ["accepted", "fresh"]) {
    await using bench = await benchWithSource();
    const id = await bench.beginUntilStep("copy", step, request);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.equal(status, Status.FAILED);
    assert.equal(failureReason, "the daemon died while it copied c1; copy it again");
    assert.deepEqual(names(bench), ["c1"]);
  }
});

test("a copy starts with the engine as its source does, but not before it is whole", async () => {
  for (const autostart of ["true", "false", undefined]) {
    await using bench = await benchWithSource();
    const source = bench.engine.instance("c1");
    if (autostart) source.config = { ...source.config, "boot.autostart": autostart };
    await bench.run("copy", request);
    assert.equal(bench.engine.instance("c2").config["boot.autostart"], autostart);
    const id = await bench.beginUntilStep("copy", "fresh", { ...request, containerName: "c3" });
    const temporary = names(bench).find((name) => name.startsWith("tremplin-create-")) ?? "";
    assert.equal(bench.engine.instance(temporary).config["boot.autostart"], "0");
    // The engine had renamed it when the daemon died.
    await bench.actions.rename(temporary, "c3");
    await bench.restart();
    assert.equal((await bench.outcome(id)).final.status, Status.CREATED);
    assert.equal(bench.engine.instance("c3").config["boot.autostart"], autostart);
  }
});

test("a copy whose autostart cannot be set yet is CREATED all the same, and gets it later", async () => {
  await using bench = await benchWithSource();
  const source = bench.engine.instance("c1");
  source.config = { ...source.config, "boot.autostart": "true" };
  bench.engine.failNext("PUT", /c2$/, "the disk is full");
  const { final } = await bench.run("copy", request);
  assert.deepEqual([final.status, final.failureReason], [Status.CREATED, ""]);
  assert.match(String(await bench.owed()), /not started with the engine yet/);
  await bench.restart();
  assert.equal(bench.engine.instance("c2").config["boot.autostart"], "true");
  assert.deepEqual(await bench.owed(), []);
});
