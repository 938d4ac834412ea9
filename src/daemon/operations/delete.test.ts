import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { test } from "node:test";
import { OperationBench } from "../../../test/support/operation-bench.ts";
import { ContainerDeletionProgress_Status as Status } from "../../contract/tremplin_pb.js";

const request = { containerName: "c1" };

async function benchWithRunning(): Promise<OperationBench> {
  const bench = await OperationBench.open();
  await bench.actions.create("c1");
  await bench.actions.act("c1", "start");
  return bench;
}

/** The containers that are left, each with its state. */
function left({ engine }: OperationBench): string[][] {
  return [...engine.holdings.instances.values()].map(({ name, status }) => [name, status]);
}

test("a container is stopped and deleted, with its snapshots and what was written for it", async () => {
  await using bench = await OperationBench.open();
  await bench.actions.create("c1");
  await bench.run("start", { ...request, token: "secret" });
  const token = (await bench.actions.get("c1")).devices.container_token?.source ?? "";
  await access(token);
  await bench.actions.snapshot("c1", "mine");
  const { progress, final } = await bench.run("delete", request);
  assert.deepEqual(progress, []);
  assert.deepEqual([final.status, final.failureReason], [Status.DELETED, ""]);
  assert.deepEqual(left(bench), []);
  await assert.rejects(access(token), { code: "ENOENT" });
});

test("one that is not there is DELETED", async () => {
  await using bench = await OperationBench.open();
  assert.equal((await bench.run("delete", request)).final.status, Status.DELETED);
});

test("one that its owner protects FAILED before anything is done to it", async () => {
  await using bench = await benchWithRunning();
  await bench.actions.set("c1", { "security.protection.delete": "true" });
  const { final } = await bench.run("delete", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /c1 is protected against deletion .* try again/);
  assert.deepEqual(left(bench), [["c1", "Running"]]);
});

test("where the engine fails at it the deletion FAILED", async () => {
  await using bench = await benchWithRunning();
  bench.engine.failNext("DELETE", /c1$/, "the pool is broken");
  const { final } = await bench.run("delete", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /the pool is broken/);
  assert.deepEqual(left(bench), [["c1", "Stopped"]]);
});

test("a deletion that is cancelled is CANCELLED where it is still there, DELETED where it went all the same", async () => {
  for (const goes of [false, true]) {
    await using bench = await benchWithRunning();
    const held = bench.engine.hold("DELETE", /c1$/);
    const id = await bench.begin("delete", request);
    await held.reached;
    bench.cancel("delete");
    if (goes) held.release();
    else held.fail("no");
    assert.equal((await bench.outcome(id)).final.status, goes ? Status.DELETED : Status.CANCELLED);
    assert.deepEqual(left(bench), goes ? [] : [["c1", "Stopped"]]);
  }
});

test("a daemon that died before it had begun leaves the container alone", async () => {
  await using bench = await benchWithRunning();
  const id = await bench.beginUntilStep("delete", "accepted", request);
  await bench.restart();
  const { status, failureReason } = (await bench.outcome(id)).final;
  const sentence = "the daemon died while it deleted c1; delete it again";
  assert.deepEqual([status, failureReason], [Status.FAILED, sentence]);
  assert.deepEqual(left(bench), [["c1", "Running"]]);
});

test("a daemon that died later has its deletion carried to the end, wherever that was", async () => {
  await using bench = await benchWithRunning();
  const id = await bench.beginUntilStep("delete", "container", request);
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.DELETED);
  assert.deepEqual(left(bench), []);
  for (const path of [/state$/, /c1$/]) {
    await bench.actions.create("c1");
    await bench.actions.act("c1", "start");
    const held = bench.engine.hold(path.source === "c1$" ? "DELETE" : "PUT", path);
    const later = await bench.begin("delete", request);
    await held.reached;
    const restarted = bench.restart();
    held.release();
    await restarted;
    assert.equal((await bench.outcome(later)).final.status, Status.DELETED);
    assert.deepEqual(left(bench), []);
  }
});

test("an engine that died in the middle is asked again once it answers", async () => {
  await using bench = await benchWithRunning();
  const held = bench.engine.hold("DELETE", /c1$/);
  const id = await bench.begin("delete", request);
  await held.reached;
  await bench.engine.die();
  await bench.engine.revive();
  assert.equal((await bench.outcome(id)).final.status, Status.DELETED);
  assert.deepEqual(left(bench), []);
});

test("a container that a user went on with since the daemon died is left", async (t) => {
  const meanwhile = async (act: (bench: OperationBench) => Promise<unknown>) => {
    await using bench = await benchWithRunning();
    await bench.actions.act("c1", "stop");
    const id = await bench.beginUntilStep("delete", "container", request);
    await act(bench);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    return { status, failureReason, left: left(bench) };
  };
  const cases: [string, RegExp, string[], (bench: OperationBench) => Promise<unknown>][] = [
    [
      "it was started",
      /c1 was started again since/,
      ["c1", "Running"],
      ({ actions: hands }) => hands.act("c1", "start"),
    ],
    [
      "its settings were changed",
      /the settings of c1 were changed since/,
      ["c1", "Stopped"],
      ({ actions: hands }) => hands.set("c1", { "user.own": "yes" }),
    ],
    [
      "a snapshot of it was taken",
      /a snapshot of c1 was taken since/,
      ["c1", "Stopped"],
      ({ actions: hands }) => hands.snapshot("c1", "mine"),
    ],
    [
      "it was renamed",
      /was renamed to c2/,
      ["c2", "Stopped"],
      ({ actions: hands }) => hands.rename("c1", "c2"),
    ],
    [
      "another one has its name",
      /c1 is not the one of the request any more/,
      ["c1", "Stopped"],
      async ({ actions: hands }) => {
        await hands.delete("c1");
        await hands.create("c1");
      },
    ],
  ];
  for (const [title, reason, remaining, act] of cases) {
    await t.test(title, async () => {
      const { status, failureReason, left } = await meanwhile(act);
      assert.equal(status, Status.FAILED);
      assert.match(failureReason, reason);
      assert.deepEqual(left, [remaining]);
    });
  }
  await t.test("it is gone", async () => {
    assert.equal((await meanwhile(({ actions: hands }) => hands.delete("c1"))).status, Status.DELETED);
  });
});
