import assert from "node:assert/strict";
import { test } from "node:test";
import { containers, importBench } from "../../../../test/support/operation-bench/import-fixture.ts";
import type { OperationBench } from "../../../../test/support/operation-bench.ts";
import { ContainerImportProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1", importPath: "backup.tar" };
const old = ["c1 Running old"];
const imported = ["c1 Stopped backup"];
const interrupted = "the daemon died while it imported c1, which is as it was before; import it again";

for (const step of ["accepted", "container", "fresh", "ran"]) {
  test(`when the daemon dies behind the step ${step} the old container runs as before`, async () => {
    await using bench = await importBench();
    const id = await bench.beginUntilStep("import", step, request);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.deepEqual([status, failureReason], [Status.FAILED, interrupted]);
    assert.deepEqual(containers(bench), old);
  });
}

test("when the daemon dies behind the step swapped the import is DONE", async () => {
  await using bench = await importBench();
  const id = await bench.beginUntilStep("import", "swapped", request);
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.DONE);
  assert.deepEqual(containers(bench), imported);
});

/** The daemon dies while the engine is about to do something, which then succeeds or not; the next one recovers. */
async function diedAt(
  bench: OperationBench,
  path: RegExp,
  succeeds: boolean,
  meanwhile: (id: string) => Promise<unknown> = async () => undefined,
) {
  const held = bench.engine.hold("POST", path);
  const id = await bench.begin("import", request);
  await held.reached;
  await bench.kill();
  if (succeeds) held.release();
  else held.fail("the pool is broken");
  await meanwhile(id);
  await bench.restart();
  return { ...(await bench.outcome(id)).final, aside: `tremplin-aside-${id}` };
}

test("when the daemon dies in the middle of the two renames the outcome is the old container, or the new one", async () => {
  for (const [path, succeeds, status, left] of [
    [/instances\/c1$/, false, Status.FAILED, old],
    [/instances\/c1$/, true, Status.FAILED, old],
    [/tremplin-import-/, false, Status.FAILED, old],
    [/tremplin-import-/, true, Status.DONE, imported],
  ] as const) {
    await using bench = await importBench();
    assert.equal((await diedAt(bench, path, succeeds)).status, status);
    assert.deepEqual(containers(bench), left);
  }
});

test("when the daemon dies while the engine makes the new container, that goes", async () => {
  for (const path of [/images$/, /instances$/]) {
    await using bench = await importBench();
    assert.equal((await diedAt(bench, path, true)).status, Status.FAILED);
    assert.deepEqual(containers(bench), old);
  }
});

test("when the engine dies in the middle of the renames the old container has its name again", async () => {
  await using bench = await importBench();
  const held = bench.engine.hold("POST", /tremplin-import-/);
  const id = await bench.begin("import", request);
  await held.reached;
  await bench.engine.die();
  await bench.engine.revive();
  const { status, failureReason } = (await bench.outcome(id)).final;
  assert.equal(status, Status.FAILED);
  assert.match(failureReason, /^the engine died while it imported c1/);
  assert.deepEqual(containers(bench), old);
});

test("another container that has the name since keeps it, and the old one gets one that people see", async () => {
  await using bench = await importBench();
  const { status, failureReason } = await diedAt(bench, /tremplin-import-/, false, () =>
    bench.actions.create("c1"),
  );
  assert.equal(status, Status.FAILED);
  assert.match(failureReason, /the old one was renamed to c1-before-import/);
  assert.deepEqual(containers(bench), ["c1 Stopped undefined", "c1-before-import Running old"]);
});

test("an old container that a user went on with is left, under a name that people see where it can have one", async () => {
  for (const [act, left] of [
    [({ actions: hands }: OperationBench, aside: string) => hands.act(aside, "start"), "tremplin-aside-"],
    [
      ({ actions: hands }: OperationBench, aside: string) => hands.snapshot(aside, "mine"),
      "c1-before-import",
    ],
  ] as const) {
    await using bench = await importBench();
    const id = await bench.beginUntilStep("import", "swapped", request);
    await act(bench, `tremplin-aside-${id}`);
    await bench.restart();
    assert.equal((await bench.outcome(id)).final.status, Status.DONE);
    const [first, second] = containers(bench);
    assert.equal(first, imported[0]);
    assert.ok(second?.startsWith(left), second);
    assert.match(second ?? "", / old$/);
  }
});

test("a new container that a user renamed is in place; one that a user took away makes way for the old one", async () => {
  await using bench = await importBench();
  const id = await bench.beginUntilStep("import", "swapped", request);
  await bench.actions.rename("c1", "mine");
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.DONE);
  assert.deepEqual(containers(bench), ["mine Stopped backup"]);
  await using other = await importBench();
  const taken = await other.beginUntilStep("import", "swapped", request);
  await other.actions.delete("c1");
  await other.restart();
  const { status, failureReason } = (await other.outcome(taken)).final;
  assert.equal(status, Status.FAILED);
  assert.match(failureReason, /a user deleted the new container, so c1 is the old one again/);
  assert.deepEqual(containers(other), old);
});

test("an unfinished container that a user started is left", async () => {
  await using bench = await importBench();
  const id = await bench.beginUntilStep("import", "container", request);
  await bench.actions.act(`tremplin-import-${id}`, "start");
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.FAILED);
  assert.deepEqual(containers(bench), [...old, `tremplin-import-${id} Running backup`]);
});
