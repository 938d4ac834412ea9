import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { nextTurn, OperationBench } from "../../../../test/support/operation-bench.ts";
import { ContainerExportProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1", exportPath: "backup.tar.gz" };

async function openBench(state: "Stopped" | "Running" = "Stopped"): Promise<OperationBench> {
  const bench = await OperationBench.open();
  await bench.actions.create("c1");
  await bench.actions.write("c1", "/etc/precious", "what must not be lost");
  if (state === "Running") await bench.actions.act("c1", "start");
  return bench;
}

/** The contents of the engine and of the shared folder. */
async function left({ engine, shared }: OperationBench) {
  const { instances, images, aliases } = engine.holdings;
  return {
    containers: [...instances.values()].map(({ name, status }) => `${name} ${status}`),
    snapshots: [...instances.values()].flatMap(({ snapshots }) => snapshots.map(({ name }) => name)),
    images: images.size - 1 + aliases.size,
    files: (await readdir(shared)).map((name) =>
      statSync(join(shared, name)).size > 0 ? name : `${name} (empty)`,
    ),
  };
}

const clean = { containers: ["c1 Stopped"], snapshots: [], images: 0, files: [] as string[] };
/** A host that asked for a new file finds one, whatever the end. */
const failed = { ...clean, files: ["backup.tar.gz (empty)"] };
const done = { ...clean, files: ["backup.tar.gz"] };

async function backup({ shared }: OperationBench): Promise<string> {
  return gunzipSync(await readFile(join(shared, "backup.tar.gz"))).toString("latin1");
}

test("a backup of a running container is written, and nothing else is left", async () => {
  await using bench = await openBench("Running");
  const { progress, final } = await bench.run("export", request);
  assert.deepEqual(progress, []);
  assert.deepEqual([final.status, final.failureReason], [Status.DONE, ""]);
  assert.ok((final.bytesExported as bigint) > 0n);
  assert.deepEqual(await left(bench), { ...done, containers: ["c1 Running"] });
  assert.match(await backup(bench), /what must not be lost/);
});

test("no progress before the totals are known; then they stay, and the counters only grow up to them", async () => {
  await using bench = await openBench();
  const image = bench.engine.hold("POST", /images$/);
  const download = bench.engine.hold("GET", /export$/);
  const id = await bench.begin("export", request);
  const advance = async (): Promise<void> => {
    for (let polls = 0; polls < 3; polls++) {
      await bench.daemon.clock.sleeping();
      bench.daemon.clock.advance(600);
      await nextTurn();
    }
  };
  await image.reached;
  await advance();
  assert.deepEqual(bench.host.progress(id), []);
  image.release();
  await download.reached;
  await advance();
  download.release();
  const { progress, final } = await bench.outcome(id);
  const counters = [...progress, final].map((message) =>
    [
      message.totalInputFiles,
      message.totalInputBytes,
      message.inputFilesStreamed,
      message.inputBytesStreamed,
    ].map(Number),
  );
  assert.ok(counters.length > 1);
  for (const [index, [totalFiles, totalBytes, files, bytes]] of (counters as Four[]).entries()) {
    const [lastTotalFiles, lastTotalBytes, lastFiles, lastBytes] = counters[Math.max(0, index - 1)] as Four;
    assert.ok(totalFiles > 0 && totalBytes > 0);
    assert.deepEqual([totalFiles, totalBytes], [lastTotalFiles, lastTotalBytes]);
    assert.ok(lastFiles <= files && files <= totalFiles && lastBytes <= bytes && bytes <= totalBytes);
  }
});

type Four = [number, number, number, number];

test("a container that is not there and a path outside of the shared folder FAILED", async () => {
  await using bench = await openBench();
  const missing = (await bench.run("export", { ...request, containerName: "c2" })).final;
  assert.deepEqual([missing.status, missing.failureReason], [Status.FAILED, "there is no container c2"]);
  const outside = (await bench.run("export", { ...request, exportPath: "/etc/backup.tar.gz" })).final;
  assert.equal(outside.status, Status.FAILED);
  assert.deepEqual(await left(bench), failed);
});

for (const [method, path, what] of [
  ["POST", /snapshots$/, "the snapshot"],
  ["GET", /metadata$/, "the metadata"],
  ["POST", /images$/, "the image of the snapshot"],
  ["GET", /export$/, "the download"],
] as const) {
  test(`where the engine fails at ${what} nothing is left, and an older backup stays`, async () => {
    await using bench = await openBench();
    await writeFile(join(bench.shared, "backup.tar.gz"), "older");
    bench.engine.failNext(method, path, "the pool is broken");
    const { final } = await bench.run("export", request);
    assert.equal(final.status, Status.FAILED);
    assert.match(final.failureReason, /the pool is broken/);
    assert.equal(final.bytesExported, 0n);
    assert.deepEqual(await left(bench), done);
    assert.equal(await readFile(join(bench.shared, "backup.tar.gz"), "utf8"), "older");
  });
}

test("a running container that the engine cannot take a snapshot of is paused for it", async () => {
  await using bench = await openBench("Running");
  bench.engine.failNext("POST", /snapshots$/, "lstat: no such file or directory");
  const { final } = await bench.run("export", request);
  assert.equal(final.status, Status.DONE);
  assert.ok(bench.daemon.steps.includes("paused"));
  assert.deepEqual(await left(bench), { ...done, containers: ["c1 Running"] });
});

test("a snapshot that cannot be deleted is owed, and goes with the next daemon", async () => {
  await using bench = await openBench();
  bench.engine.failNext("DELETE", /snapshots/, "the pool is busy");
  const { final } = await bench.run("export", request);
  assert.equal(final.status, Status.DONE);
  assert.match(String(await bench.owed()), /tremplin-export-.* is still there: .*the pool is busy/);
  await bench.restart();
  assert.deepEqual([await bench.owed(), await left(bench)], [[], done]);
});

test("an export that is cancelled is CANCELLED, and what the engine made for it goes", async () => {
  for (const path of [/snapshots$/, /images$/, /export$/]) {
    await using bench = await openBench();
    const held = bench.engine.hold(path.source === "export$" ? "GET" : "POST", path);
    const id = await bench.begin("export", request);
    await held.reached;
    bench.cancel("export");
    held.release();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.deepEqual([status, failureReason], [Status.CANCELLED, "enough"]);
    assert.deepEqual(await left(bench), failed);
  }
});

test("when the daemon dies the next one leaves no backup, or a whole one", async (t) => {
  await using first = await openBench();
  await first.run("export", request);
  const steps = first.daemon.steps;
  assert.deepEqual(steps, ["accepted", "target", "container", "packed", "published"]);
  for (const step of steps) {
    await t.test(`behind the step ${step}`, async () => {
      await using bench = await openBench();
      const id = await bench.beginUntilStep("export", step, request);
      await bench.restart();
      const { status, failureReason } = (await bench.outcome(id)).final;
      const isWhole = step === "published";
      const sentence = "the daemon died while it exported c1; export it again";
      assert.deepEqual([status, failureReason], isWhole ? [Status.DONE, ""] : [Status.FAILED, sentence]);
      assert.deepEqual(await left(bench), isWhole ? done : step === "accepted" ? clean : failed);
      if (isWhole) assert.match(await backup(bench), /what must not be lost/);
    });
  }
});

test("when the daemon dies while the engine works, its work is waited for and goes", async () => {
  for (const path of [/snapshots$/, /images$/]) {
    await using bench = await openBench();
    const held = bench.engine.hold("POST", path);
    const id = await bench.begin("export", request);
    await held.reached;
    await bench.kill();
    const restarted = bench.restart();
    held.release();
    await restarted;
    assert.equal((await bench.outcome(id)).final.status, Status.FAILED);
    assert.deepEqual(await left(bench), failed);
  }
});

test("a container that a dead daemon paused goes on", async () => {
  await using bench = await openBench("Running");
  bench.engine.failNext("POST", /snapshots$/, "lstat: no such file or directory");
  const held = bench.engine.hold("PUT", /state$/);
  const id = await bench.begin("export", request);
  await held.reached;
  await bench.kill();
  held.release();
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.FAILED);
  assert.deepEqual(await left(bench), { ...failed, containers: ["c1 Running"] });
});

test("when the engine dies in the middle nothing is left once it answers again", async () => {
  await using bench = await openBench();
  const held = bench.engine.hold("POST", /images$/);
  const id = await bench.begin("export", request);
  await held.reached;
  await bench.engine.die();
  await bench.engine.revive();
  const { status, failureReason } = (await bench.outcome(id)).final;
  const sentence = "the engine died while it exported c1; export it again";
  assert.deepEqual([status, failureReason], [Status.FAILED, sentence]);
  assert.deepEqual(await left(bench), failed);
});

test("the snapshot goes although a user renamed the container since, and nothing else of it", async () => {
  await using bench = await openBench();
  const id = await bench.beginUntilStep("export", "packed", request);
  await bench.actions.snapshot("c1", "mine");
  await bench.actions.rename("c1", "c2");
  await bench.restart();
  await bench.outcome(id);
  const { containers, snapshots } = await left(bench);
  assert.deepEqual([containers, snapshots], [["c2 Stopped"], ["mine"]]);
});
