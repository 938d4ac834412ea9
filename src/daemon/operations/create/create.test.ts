import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tinyImageBytes } from "../../../../test/support/memory-engine/tiny-image-bytes.ts";
import { nextTurn, OperationBench } from "../../../../test/support/operation-bench.ts";
import { ContainerCreationProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1", imageServer: "https://images.invalid", imageAlias: "debian/12" };

/** A bench whose image server has the image of the request. */
async function openBench(): Promise<OperationBench> {
  const bench = await OperationBench.open();
  bench.engine.addRemoteImage(request.imageAlias, tinyImageBytes("remote"));
  return bench;
}

/** Tarballs in the shared folder, and the request for a container from them. */
async function fromTarballs({ shared }: OperationBench, text = "uploaded") {
  const { metadata, rootfs } = tinyImageBytes(text);
  const paths = { metadataPath: join(shared, "metadata.tar"), rootfsPath: join(shared, "rootfs.tar") };
  await writeFile(paths.metadataPath, metadata);
  await writeFile(paths.rootfsPath, rootfs);
  return { containerName: "c1", ...paths };
}

function names({ engine }: OperationBench): string[] {
  return [...engine.holdings.instances.keys()];
}

/** The images that were not there at the beginning. */
function newImages({ engine }: OperationBench): string[] {
  return [...engine.holdings.images.values()]
    .filter(({ cached }) => !cached)
    .map(({ fingerprint }) => fingerprint)
    .slice(1);
}

test("a container is created of an image of a server, and bears the mark of that", async () => {
  await using bench = await openBench();
  const { final } = await bench.run("create", request);
  assert.deepEqual([final.status, final.failureReason], [Status.CREATED, ""]);
  assert.deepEqual(names(bench), ["c1"]);
  const { status, metadata, config } = bench.engine.instance("c1");
  assert.equal(status, "Stopped");
  assert.equal(metadata.properties?.createdByTremplin, "true");
  assert.equal(metadata.properties?.createdByTremplinAs, config["volatile.uuid"]);
});

test("a download reports its percentage when it grows, and repeats it each 30 s", async () => {
  await using bench = await openBench();
  const held = bench.engine.hold("POST", /instances$/);
  const id = await bench.begin("create", request);
  await held.reached;
  const percent = (count: number) =>
    bench.host.progressWith(id, () => bench.host.progress(id).length === count);
  for (const [index, text] of [
    "metadata: 50% (1MB/s)",
    "rootfs: 10% (1MB/s)",
    "rootfs: 42% (1MB/s)",
  ].entries()) {
    held.progress({ download_progress: text });
    await percent(index + 1);
  }
  // An older percentage may come later: the host does not get it.
  held.progress({ download_progress: "rootfs: 41% (1MB/s)" });
  await bench.daemon.clock.sleeping();
  bench.daemon.clock.advance(30_000);
  await percent(4);
  held.release();
  const { progress, final } = await bench.outcome(id);
  assert.deepEqual(
    progress.map(({ status, downloadProgress }) => [status, downloadProgress]),
    [0, 10, 42, 42].map((each) => [Status.DOWNLOADING, each]),
  );
  assert.equal(final.status, Status.CREATED);
});

test("a download that stands still for five minutes is given up and cancelled", async () => {
  await using bench = await openBench();
  const held = bench.engine.hold("POST", /instances$/, { mayCancel: true });
  const id = await bench.begin("create", request);
  await held.reached;
  for (let minutes = 0; minutes < 5; minutes += 0.5) {
    await bench.daemon.clock.sleeping();
    bench.daemon.clock.advance(30_000);
    await nextTurn();
  }
  const { final } = await bench.outcome(id);
  assert.equal(final.status, Status.DOWNLOAD_TIMED_OUT);
  assert.match(final.failureReason, /has stood still at 0 % for 300 s/);
  assert.deepEqual(names(bench), []);
});

/** Lets six minutes pass, of which the host sees the beats. */
async function sixMinutes({ daemon }: OperationBench): Promise<void> {
  for (let beats = 0; beats < 12; beats++) {
    await daemon.clock.sleeping();
    daemon.clock.advance(30_000);
    await nextTurn();
    await nextTurn();
  }
}

test("an upload and an unpacking of tarballs that take long are no download: the host gets a beat each 30 s", async () => {
  for (const path of [/images$/, /instances$/]) {
    await using bench = await openBench();
    const held = bench.engine.hold("POST", path);
    const id = await bench.begin("create", await fromTarballs(bench));
    await held.reached;
    await sixMinutes(bench);
    held.release();
    const { progress, final } = await bench.outcome(id);
    assert.deepEqual([final.status, final.failureReason], [Status.CREATED, ""]);
    assert.ok(progress.length >= 11, `${progress.length} beats`);
    assert.ok(progress.every(({ status }) => status === Status.DOWNLOADING));
  }
});

test("an unpacking behind a download takes as long as it takes", async () => {
  await using bench = await openBench();
  const held = bench.engine.hold("POST", /instances$/);
  const id = await bench.begin("create", request);
  await held.reached;
  held.progress({ download_progress: "rootfs: 99% (1MB/s)" });
  const stage = "create_instance_from_image_unpack";
  held.progress({ progress: { stage, percent: "1", speed: "1000" } });
  await sixMinutes(bench);
  held.release();
  assert.equal((await bench.outcome(id)).final.status, Status.CREATED);
});

test("an image that the engine has from that server needs no download", async () => {
  await using bench = await openBench();
  const { images } = bench.engine.holdings;
  for (const [fingerprint, image] of images) {
    const updateSource = { server: `${request.imageServer}/`, alias: request.imageAlias };
    images.set(fingerprint, { ...image, updateSource });
  }
  const held = bench.engine.hold("POST", /instances$/);
  const id = await bench.begin("create", request);
  await held.reached;
  await sixMinutes(bench);
  held.release();
  assert.equal((await bench.outcome(id)).final.status, Status.CREATED);
});

test("a container is created of tarballs, whose image goes again", async () => {
  await using bench = await openBench();
  const { final } = await bench.run("create", await fromTarballs(bench));
  assert.deepEqual([final.status, final.failureReason], [Status.CREATED, ""]);
  assert.equal(bench.engine.instance("c1").files.read("/etc/hostname"), "uploaded");
  assert.deepEqual(newImages(bench), []);
});

test("an image that the engine had already stays", async () => {
  await using bench = await openBench();
  const fingerprint = bench.engine.addImage(tinyImageBytes("known"));
  const { final } = await bench.run("create", await fromTarballs(bench, "known"));
  assert.equal(final.status, Status.CREATED);
  assert.deepEqual(newImages(bench), [fingerprint]);
});

test("a name that a user uses is refused, and what has it stays", async () => {
  await using bench = await openBench();
  const { config } = await bench.actions.create("c1");
  const { final } = await bench.run("create", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /there is a container c1 already/);
  assert.equal(bench.engine.instance("c1").config["volatile.uuid"], config["volatile.uuid"]);
});

test("what was created and never used is replaced; what a user set something in is not", async () => {
  await using bench = await openBench();
  await bench.run("create", request);
  const first = bench.engine.instance("c1");
  assert.equal((await bench.run("create", request)).final.status, Status.CREATED);
  assert.notEqual(bench.engine.instance("c1"), first);
  await bench.actions.set("c1", { "user.own": "yes" });
  assert.equal((await bench.run("create", request)).final.status, Status.FAILED);
  assert.deepEqual(names(bench), ["c1"]);
});

test("an image that the server does not have, and a milestone that the site has not, FAILED", async () => {
  await using bench = await openBench();
  const { final } = await bench.run("create", { ...request, imageAlias: "none" });
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /couldn't be found/);
  const { final: other } = await bench.run("create", {
    ...request,
    imageServer: "https://images.invalid/%d",
  });
  assert.match(other.failureReason, /needs a milestone/);
  assert.deepEqual(names(bench), []);
});

for (const [method, path, what] of [
  ["POST", /images$/, "the upload"],
  ["POST", /instances$/, "the creation"],
  ["PUT", /metadata$/, "the mark"],
  ["POST", /tremplin-create-/, "the name"],
] as const) {
  test(`where the engine fails at ${what} nothing is left`, async () => {
    await using bench = await openBench();
    bench.engine.failNext(method, path, "the disk is full");
    const { final } = await bench.run("create", await fromTarballs(bench));
    assert.equal(final.status, Status.FAILED);
    assert.match(final.failureReason, /the disk is full/);
    assert.deepEqual([names(bench), newImages(bench)], [[], []]);
  });
}

test("an image that cannot be deleted is owed, and goes with the next daemon", async () => {
  await using bench = await openBench();
  bench.engine.failNext("DELETE", /images/, "the image is in use");
  const { final } = await bench.run("create", await fromTarballs(bench));
  assert.equal(final.status, Status.CREATED);
  assert.match(String(await bench.owed()), /is still there: .*the image is in use/);
  await bench.restart();
  assert.deepEqual([await bench.owed(), newImages(bench), names(bench)], [[], [], ["c1"]]);
});

test("a creation that is cancelled is CANCELLED and leaves nothing", async () => {
  for (const mayCancel of [true, false]) {
    await using bench = await openBench();
    const held = bench.engine.hold("POST", /instances$/, { mayCancel });
    const id = await bench.begin("create", await fromTarballs(bench));
    await held.reached;
    bench.cancel("create");
    if (!mayCancel) held.release();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.deepEqual([status, failureReason], [Status.CANCELLED, "enough"]);
    assert.deepEqual([names(bench), newImages(bench)], [[], []]);
  }
});

test("when the daemon dies while the engine creates, nothing is left", async () => {
  await using bench = await openBench();
  for (const [path, creation] of [
    [/images$/, await fromTarballs(bench)],
    [/instances$/, request],
  ] as const) {
    const held = bench.engine.hold("POST", path);
    const id = await bench.begin("create", creation);
    await held.reached;
    await bench.kill();
    const restarted = bench.restart();
    held.release();
    await restarted;
    const { status, failureReason } = (await bench.outcome(id)).final;
    const sentence = "the daemon died while it created c1; create it again";
    assert.deepEqual([status, failureReason], [Status.FAILED, sentence]);
    assert.deepEqual([names(bench), newImages(bench)], [[], []]);
  }
});

for (const step of ["accepted", "fresh"]) {
  test(`when the daemon dies behind the step ${step} nothing is left`, async () => {
    await using bench = await openBench();
    const id = await bench.beginUntilStep("create", step, await fromTarballs(bench));
    await bench.restart();
    assert.equal((await bench.outcome(id)).final.status, Status.FAILED);
    assert.deepEqual([names(bench), newImages(bench)], [[], []]);
  });
}

test("when the daemon dies while the container gets its name, it is CREATED", async () => {
  await using bench = await openBench();
  const held = bench.engine.hold("POST", /tremplin-create-/);
  const id = await bench.begin("create", request);
  await held.reached;
  await bench.kill();
  held.release();
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.CREATED);
  assert.deepEqual(names(bench), ["c1"]);
});

test("when the engine dies in the middle nothing is left once it answers again", async () => {
  await using bench = await openBench();
  const held = bench.engine.hold("POST", /tremplin-create-/);
  const id = await bench.begin("create", await fromTarballs(bench));
  await held.reached;
  await bench.engine.die();
  await bench.engine.revive();
  const { status, failureReason } = (await bench.outcome(id)).final;
  const sentence = "the engine died while it created c1; create it again";
  assert.deepEqual([status, failureReason], [Status.FAILED, sentence]);
  assert.deepEqual([names(bench), newImages(bench)], [[], []]);
});

test("what a user did since the daemon died stays", async () => {
  await using bench = await openBench();
  const id = await bench.beginUntilStep("create", "fresh", request);
  const temporary = `tremplin-create-${id}`;
  await bench.actions.act(temporary, "start");
  await bench.actions.create("c1");
  await bench.restart();
  assert.equal((await bench.outcome(id)).final.status, Status.FAILED);
  assert.deepEqual(names(bench).sort(), ["c1", temporary]);
  assert.equal(bench.engine.instance(temporary).status, "Running");
});

test("a cancelled creation leaves nothing, whether it downloads or has tarballs", async () => {
  for (const source of ["server", "tarballs"]) {
    await using bench = await openBench();
    const held = bench.engine.hold("POST", /instances$/, { mayCancel: true });
    const id = await bench.begin("create", source === "server" ? request : await fromTarballs(bench));
    await held.reached;
    bench.cancel("create", "c1");
    assert.equal((await bench.outcome(id)).final.status, Status.CANCELLED);
    assert.deepEqual(names(bench), []);
    assert.deepEqual(newImages(bench), []);
  }
});
