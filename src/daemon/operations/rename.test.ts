import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { OperationBench } from "../../../test/support/operation-bench.ts";
import { ContainerCreationProgress_Status as Status } from "../../contract/tremplin_pb.js";

const request = { containerName: "c1", newName: "c2" };

async function benchWithOne(): Promise<OperationBench> {
  const bench = await OperationBench.open();
  await bench.actions.create("c1");
  await bench.actions.snapshot("c1", "s1");
  await mkdir(dirname(logOf(bench, "c1")), { recursive: true });
  await writeFile(logOf(bench, "c1"), "the log");
  return bench;
}

function logOf({ state }: OperationBench, name: string): string {
  return join(state, "upgrades", `${name}.log`);
}

/** Whose lock the next daemon takes for what is left. */
async function containersOfEntries({ state }: OperationBench): Promise<string[]> {
  const folder = join(state, "journal");
  const texts = (await readdir(folder)).map(async (name) =>
    JSON.parse(await readFile(join(folder, name), "utf8")),
  );
  return (await Promise.all(texts)).map(({ container }) => container);
}

function names({ engine }: OperationBench): string[] {
  return [...engine.holdings.instances.keys()];
}

test("a stopped container gets its new name, with its snapshots and the log of its upgrade", async () => {
  await using bench = await benchWithOne();
  const { final } = await bench.run("rename", request);
  assert.deepEqual([final.containerName, final.status, final.failureReason], ["c2", Status.CREATED, ""]);
  assert.deepEqual(names(bench), ["c2"]);
  assert.equal(bench.engine.instance("c2").snapshots.length, 1);
  assert.equal(await readFile(logOf(bench, "c2"), "utf8"), "the log");
});

test("a running one, a missing one and a taken name FAILED with what to do, and stay", async () => {
  await using bench = await benchWithOne();
  await bench.actions.create("c2");
  const reason = async (init: typeof request) => (await bench.run("rename", init)).final.failureReason;
  assert.match(await reason(request), /there is a container c2 already; choose another name/);
  await bench.actions.act("c1", "start");
  assert.match(await reason({ ...request, newName: "c3" }), /c1 is running; stop it first/);
  assert.equal(await reason({ containerName: "c9", newName: "c3" }), "there is no container c9");
  assert.deepEqual(names(bench), ["c1", "c2"]);
});

test("a rename that the engine refuses changes nothing", async () => {
  await using bench = await benchWithOne();
  bench.engine.failNext("POST", /c1$/, "the pool is busy");
  const { final } = await bench.run("rename", request);
  assert.deepEqual([final.containerName, final.status], ["c2", Status.FAILED]);
  assert.match(final.failureReason, /the pool is busy/);
  assert.deepEqual(names(bench), ["c1"]);
  assert.equal(await readFile(logOf(bench, "c1"), "utf8"), "the log");
});

test("after a crash a container that has its new name keeps it, with all that belongs to it", async () => {
  const afterCrash = async (newName: string | undefined) => {
    await using bench = await benchWithOne();
    const id = await bench.beginUntilStep("rename", "container", request);
    if (newName) await bench.actions.rename("c1", newName);
    await bench.restart();
    const { status, failureReason } = (await bench.outcome(id)).final;
    const log = await readFile(logOf(bench, "c2"), "utf8").catch(() => "");
    return { status, failureReason, names: names(bench), log };
  };
  const done = await afterCrash("c2");
  assert.deepEqual([done.status, done.names, done.log], [Status.CREATED, ["c2"], "the log"]);
  const before = await afterCrash(undefined);
  assert.deepEqual([before.status, before.names], [Status.FAILED, ["c1"]]);
  assert.equal(before.failureReason, "the daemon died before c1 was renamed; rename it again");
  const other = await afterCrash("c5");
  assert.deepEqual([other.status, other.names], [Status.FAILED, ["c5"]]);
  assert.match(other.failureReason, /was renamed to c5/);
});

test("a rename after which a file cannot be moved is CREATED, and owes the rest under the new name", async () => {
  await using bench = await benchWithOne();
  // A folder that is not empty is in the way.
  await mkdir(join(logOf(bench, "c2"), "in"), { recursive: true });
  const { final } = await bench.run("rename", request);
  assert.deepEqual([final.containerName, final.status, final.failureReason], ["c2", Status.CREATED, ""]);
  assert.match(String(await bench.owed()), /not everything of c1 is named c2 yet/);
  assert.deepEqual(bench.daemon.runner.locks.all(), []);
  assert.deepEqual(await containersOfEntries(bench), ["c2"]);
  await bench.restart();
  assert.match(String(await bench.owed()), /not everything of c1 is named c2 yet/);
  await rm(logOf(bench, "c2"), { recursive: true });
  await bench.restart();
  assert.deepEqual(await bench.owed(), []);
  assert.equal(await readFile(logOf(bench, "c2"), "utf8"), "the log");
});

test("what is owed to a renamed container is not taken from a new one of the old name", async () => {
  await using bench = await benchWithOne();
  await mkdir(join(logOf(bench, "c2"), "in"), { recursive: true });
  await bench.run("rename", request);
  await rm(logOf(bench, "c2"), { recursive: true });
  await bench.actions.create("c1");
  await writeFile(logOf(bench, "c1"), "its own");
  const source = (name: string) => join(bench.state, "tokens", `${name}_token`);
  const token = { type: "disk", path: "/dev/.container_token" };
  bench.engine.instance("c2").devices = { container_token: { ...token, source: source("c1") } };
  await bench.restart();
  assert.deepEqual(await bench.owed(), []);
  assert.equal(await readFile(logOf(bench, "c1"), "utf8"), "its own");
  assert.equal(bench.engine.instance("c2").devices.container_token?.source, source("c2"));
});
