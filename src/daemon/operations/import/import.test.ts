import assert from "node:assert/strict";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import {
  backupMembers,
  containers,
  importBench,
} from "../../../../test/support/operation-bench/import-fixture.ts";
import { until } from "../../../../test/support/operation-bench.ts";
import { type RawMember, tarBytes } from "../../../../test/support/tar-bytes.ts";
import { ContainerImportProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1", importPath: "backup.tar" };
const old = ["c1 Running old"];
const imported = ["c1 Stopped backup"];

test("a backup becomes a container, and the image that it went through goes", async () => {
  await using bench = await importBench();
  const { progress, final } = await bench.run("import", { ...request, containerName: "c2" });
  assert.deepEqual([final.status, final.failureReason], [Status.DONE, ""]);
  assert.deepEqual(
    progress.map(({ status, progressPercent }) => [status, progressPercent]),
    [[Status.IMPORTING_UPLOAD, 0]],
  );
  assert.deepEqual(containers(bench), [...old, "c2 Stopped backup"]);
  assert.equal(bench.engine.holdings.images.size, 1);
  const { value } = await bench.client.instances.metadata("c2");
  assert.deepEqual(Object.keys(value.templates ?? {}), ["/etc/hostname"]);
});

test("what no engine reads is sent to it uncompressed", async () => {
  await using bench = await importBench();
  const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  const packed = Buffer.concat([skipped, zstdCompressSync(tarBytes(backupMembers()))]);
  await writeFile(join(bench.shared, "backup.tar"), packed);
  const { final } = await bench.run("import", { ...request, containerName: "c2" });
  assert.deepEqual([final.status, final.failureReason], [Status.DONE, ""]);
  assert.deepEqual(containers(bench), [...old, "c2 Stopped backup"]);
});

test("where the engine has to unpack a backup, metadata that it cannot read FAILED", async () => {
  await using bench = await importBench();
  const text = "architecture: x86_64\ncreation_date: yesterday\n";
  await writeFile(join(bench.shared, "backup.tar"), tarBytes(backupMembers(text)));
  const { final } = await bench.run("import", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(
    final.failureReason,
    /cannot read creation_date, properties in its metadata.yaml: correct it there/,
  );
  assert.deepEqual(containers(bench), old);
});

test("the new container takes the place of the one that has the name", async () => {
  await using bench = await importBench();
  await bench.actions.act("c1", "stop");
  await bench.run("start", { containerName: "c1", token: "secret" });
  const token = (await bench.actions.get("c1")).devices.container_token?.source ?? "";
  await access(token);
  const { final } = await bench.run("import", request);
  assert.deepEqual([final.status, final.failureReason], [Status.DONE, ""]);
  assert.deepEqual(containers(bench), imported);
  await assert.rejects(access(token), { code: "ENOENT" });
});

test("the progress of the unpacking reaches the host, and what it shows never decreases", async () => {
  await using bench = await importBench();
  // The first is the empty one, into which the daemon cannot unpack by itself.
  bench.engine.hold("POST", /instances$/).release();
  const held = bench.engine.hold("POST", /instances$/);
  const id = await bench.begin("import", request);
  await held.reached;
  const stage = "create_instance_from_image_unpack";
  held.progress({ progress: { stage, percent: "42", speed: "1000" } });
  await until(() => {
    bench.daemon.clock.advance(600);
    return bench.host.progress(id).some(({ progressPercent }) => progressPercent === 42);
  });
  // The engine's events may come in another order.
  held.progress({ progress: { stage, percent: "41", speed: "1000" } });
  await until(() => {
    bench.daemon.clock.advance(600);
    return bench.host.progress(id).length > 3;
  });
  held.release();
  const { progress, final } = await bench.outcome(id);
  assert.equal(final.status, Status.DONE);
  const shown = progress.map(({ status, progressPercent: percent }) =>
    status === Status.IMPORTING_UPLOAD ? Number(percent) / 2 : 50 + Number(percent) / 2,
  );
  assert.deepEqual(
    shown,
    shown.toSorted((a, b) => a - b),
  );
  assert.ok(shown.includes(71), `${shown}`);
});

test("devices of a static /dev are left out, and the result names them", async () => {
  await using bench = await importBench();
  const dev = [
    { name: "rootfs/dev/", type: "5" },
    { name: "rootfs/dev/loop0", type: "4", device: [7, 0] },
    { name: "rootfs/dev/null", type: "3", device: [1, 3] },
  ] as const;
  await writeFile(join(bench.shared, "backup.tar"), tarBytes([...backupMembers(), ...dev]));
  const { final } = await bench.run("import", request);
  assert.equal(final.status, Status.DONE);
  assert.match(final.failureReason, /^these device nodes were left out: "\/dev\/loop0"; the engine makes/);
  assert.deepEqual(containers(bench), imported);
});

const member = (name: string, content: string): RawMember => ({ name, content });
const [yaml] = backupMembers();
const broken: [title: string, content: Buffer, reason: RegExp][] = [
  ["is none at all", Buffer.from("text"), /the file is not a backup/],
  ["has no metadata", tarBytes([member("rootfs/etc/text", "")]), /its metadata.yaml is missing/],
  ["has metadata of nothing", tarBytes([member("metadata.yaml", "[]")]), /metadata.yaml cannot be used/],
  ["leads out of itself", tarBytes([yaml as RawMember, member("../escaped", "")]), /escaped/],
];
for (const [title, content, reason] of broken) {
  test(`a backup that ${title} FAILED, and the container is untouched`, async () => {
    await using bench = await importBench();
    await writeFile(join(bench.shared, "backup.tar"), content);
    const { final } = await bench.run("import", request);
    assert.equal(final.status, Status.FAILED);
    assert.match(final.failureReason, reason);
    assert.deepEqual(containers(bench), old);
    assert.equal(bench.engine.holdings.images.size, 1);
  });
}

test("a file that is not there, or not in the shared folder, FAILED", async () => {
  await using bench = await importBench();
  for (const importPath of ["missing.tar", "/etc/hostname"]) {
    const { final } = await bench.run("import", { ...request, importPath });
    assert.equal(final.status, Status.FAILED);
    assert.match(final.failureReason, new RegExp(importPath));
  }
  assert.deepEqual(containers(bench), old);
});

test("a backup for another machine FAILED_ARCHITECTURE, and says for which", async () => {
  await using bench = await importBench();
  const text = "architecture: aarch64\ncreation_date: 1700000000\nproperties: {}\n";
  await writeFile(join(bench.shared, "backup.tar"), tarBytes(backupMembers(text)));
  const { final } = await bench.run("import", request);
  assert.equal(final.status, Status.FAILED_ARCHITECTURE);
  assert.deepEqual([final.architectureDevice, final.architectureContainer], ["x86_64", "aarch64"]);
  assert.deepEqual(containers(bench), old);
});

test("a backup that has no room FAILED_SPACE, and says how much it needs", async () => {
  await using bench = await importBench();
  const { space } = bench.engine.holdings;
  space.used = space.total - 1000;
  const { final } = await bench.run("import", request);
  assert.equal(final.status, Status.FAILED_SPACE);
  assert.equal(final.diskSpaceAvailableBytes, 1000n);
  assert.ok((final.diskSpaceRequiredBytes as bigint) > 1000n);
  assert.deepEqual(containers(bench), old);
});

test("a container that its owner protects is not replaced", async () => {
  await using bench = await importBench();
  await bench.actions.set("c1", { "security.protection.delete": "true" });
  const { final } = await bench.run("import", request);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /c1 is protected against deletion/);
  assert.deepEqual(containers(bench), old);
});

for (const [method, path, what] of [
  ["POST", /instances$/, "the empty container"],
  ["POST", /images$/, "the upload"],
  ["GET", /metadata$/, "the metadata"],
  ["POST", /instances\/c1$/, "setting the old one aside"],
  ["POST", /tremplin-import-/, "giving the new one its name"],
] as const) {
  test(`where the engine fails at ${what} the old container runs as before`, async () => {
    await using bench = await importBench();
    bench.engine.failNext(method, path, "the pool is broken");
    const { final } = await bench.run("import", request);
    assert.equal(final.status, Status.FAILED);
    assert.match(final.failureReason, /the pool is broken/);
    assert.deepEqual(containers(bench), old);
    assert.equal(bench.engine.holdings.images.size, 1);
  });
}

test("an old container that cannot be deleted is owed, and goes with the next daemon", async () => {
  await using bench = await importBench();
  bench.engine.failNext("DELETE", /tremplin-aside-/, "the pool is busy");
  const { final } = await bench.run("import", request);
  assert.equal(final.status, Status.DONE);
  assert.match(String(await bench.owed()), /still there as tremplin-aside-.*the pool is busy/);
  await bench.restart();
  assert.deepEqual([await bench.owed(), containers(bench)], [[], imported]);
});

test("an import that is cancelled is CANCELLED, and the old container runs as before", async () => {
  for (const [path, before] of [
    [/instances$/, 0],
    [/images$/, 0],
    [/instances$/, 1],
  ] as const) {
    await using bench = await importBench();
    for (let skipped = 0; skipped < before; skipped++) bench.engine.hold("POST", path).release();
    const held = bench.engine.hold("POST", path);
    const id = await bench.begin("import", request);
    await held.reached;
    bench.cancel("import");
    held.release();
    const { status, failureReason } = (await bench.outcome(id)).final;
    assert.deepEqual([status, failureReason], [Status.CANCELLED, "enough"]);
    assert.deepEqual(containers(bench), old);
    assert.equal(bench.engine.holdings.images.size, 1);
  }
});

test("a container of that name that a user made while the backup was read is left", async () => {
  await using bench = await importBench();
  const held = bench.engine.hold("POST", /images$/);
  const id = await bench.begin("import", request);
  await held.reached;
  await bench.actions.act("c1", "stop");
  await bench.actions.delete("c1");
  await bench.actions.create("c1");
  held.release();
  const { final } = await bench.outcome(id);
  assert.equal(final.status, Status.FAILED);
  assert.match(final.failureReason, /a user created another container c1 while the backup was read/);
  assert.deepEqual(containers(bench), ["c1 Stopped undefined"]);
});
