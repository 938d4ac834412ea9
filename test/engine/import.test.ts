import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  CancelImportContainerResponse_Status as Cancelled,
  ContainerImportProgress_Status as Imported,
  ImportContainerResponse_Status as Importing,
  GetContainerInfoResponse_Status as Info,
} from "../../src/contract/tremplin_pb.js";
import { instanceFolder } from "../../src/engine/storage/local-paths.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { eventually } from "../support/eventually.ts";
import { engineCommand, engineQuery, inContainer } from "../support/in-container.ts";
import { execute } from "../support/system-state.ts";
import { importBackup, imported, shareBackup } from "../support/tiny-backup.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
});
after(() => daemon[Symbol.asyncDispose]());

async function nothingLeft(): Promise<void> {
  const instances = (await engineQuery(daemon, "/1.0/instances")) as string[];
  assert.deepEqual(
    instances.filter((url) => url.includes("/tremplin-")),
    [],
  );
  assert.deepEqual(await engineQuery(daemon, "/1.0/images"), []);
}

for (const packing of ["--gzip", "--zstd", "--xz", ""]) {
  test(`a backup packed with ${packing || "nothing"} becomes a container`, async () => {
    const name = `as-${packing.slice(2) || "tar"}`;
    await shareBackup(daemon, "some.tini", { packing, files: { "etc/mine": packing } });
    await imported(daemon, name, "some.tini");
    await startContainer(daemon, name);
    assert.equal(await inContainer(daemon, name, "cat", "/etc/mine"), packing);
    await nothingLeft();
  });
}

test("the path may be absolute; a missing, foreign or empty one is refused at once", async () => {
  const path = await shareBackup(daemon, "absolute.tini");
  await imported(daemon, "absolute", path);
  for (const [importPath, reason] of [
    ["none.tini", /cannot open .*none\.tini/],
    ["../outside.tini", /cannot open|does not lie under/],
    ["/etc/passwd", /does not lie under the shared folder/],
    ["", /path of the file is missing/],
  ] as const) {
    const answer = await daemon.tremplin.importContainer({ containerName: "refused", importPath });
    assert.equal(answer.status, Importing.FAILED);
    assert.match(answer.failureReason, reason);
  }
  const { status } = await daemon.tremplin.importContainer({ containerName: "-", importPath: path });
  assert.equal(status, Importing.FAILED);
});

test("an import over a running container stops it, reports that, replaces it, and leaves nothing of it", async () => {
  await createTiny(daemon, "over");
  await startContainer(daemon, "over");
  await engineCommand(daemon, "snapshot", "over", "before");
  await inContainer(daemon, "over", "touch", "/root/old");
  await shareBackup(daemon, "over.tini", { files: { "root/new": "new" } });
  await imported(daemon, "over", "over.tini");
  await daemon.listener.final("shutdown", "over");
  await startContainer(daemon, "over");
  assert.equal(await inContainer(daemon, "over", "ls", "/root"), "new");
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/over/snapshots"), []);
  assert.match(await daemon.log(), /deleting the old container with its snapshots/);
  await nothingLeft();
});

test("an import that fails leaves the running container as it is", async () => {
  await createTiny(daemon, "kept");
  await startContainer(daemon, "kept");
  await inContainer(daemon, "kept", "touch", "/run/still-the-same-boot");
  await writeFile(join(daemon.shared, "noise.tini"), "no archive at all".repeat(100));
  await writeFile(join(daemon.shared, "empty.tini"), "");
  await shareBackup(daemon, "other.tini", {
    metadata: "architecture: s390x\ncreation_date: 1\nproperties: {}\n",
  });
  const noise = await importBackup(daemon, "kept", "noise.tini");
  assert.equal(noise.status, Imported.FAILED);
  assert.match(noise.failureReason, /not a backup; a backup is a tar archive/);
  assert.match((await importBackup(daemon, "kept", "empty.tini")).failureReason, /the file is empty/);
  const other = await importBackup(daemon, "kept", "other.tini");
  assert.equal(other.status, Imported.FAILED_ARCHITECTURE);
  assert.equal(other.architectureContainer, "s390x");
  assert.equal(other.architectureDevice, process.arch === "arm64" ? "aarch64" : "x86_64");
  await shareBackup(daemon, "fits.tini", { script: "head -c 3000000 /dev/urandom > random" });
  const space = await importBackup(daemon, "kept", "fits.tini", { availableDiskSpace: 1_000_000n });
  assert.equal(space.status, Imported.FAILED_SPACE);
  assert.equal(space.diskSpaceAvailableBytes, 1_000_000n);
  assert.ok(space.diskSpaceRequiredBytes > 3_000_000n, `${space.diskSpaceRequiredBytes}`);
  await inContainer(daemon, "kept", "test", "-e", "/run/still-the-same-boot");
  await nothingLeft();
});

test("an image that the engine's own command line exported or published is imported", async () => {
  await createTiny(daemon, "trip");
  await startContainer(daemon, "trip");
  const script = `mkdir -p /srv/deep/er && cd /srv && dd if=/dev/zero of=sparse bs=1 count=1 seek=5000000 2>/dev/null
    echo x > a; ln a b; ln -s /nowhere l; mknod n c 1 3; mkfifo p; chmod 4755 a; chown 1000:42 deep; touch ${"n".repeat(250)}`;
  await inContainer(daemon, "trip", "sh", "-c", script);
  const look = `cd /srv && find . | sort | while read -r f; do stat -c '%n %a %u:%g %F %h %s %t:%T' "$f"; done`;
  const before = await inContainer(daemon, "trip", "sh", "-c", look);
  await engineCommand(daemon, "stop", "--force", "trip");
  await engineCommand(daemon, "publish", "trip", "--alias", "trip");
  await engineCommand(daemon, "image", "export", "trip", join(daemon.shared, "trip"));
  await engineCommand(daemon, "image", "delete", "trip");
  await imported(daemon, "trip-back", "trip.tar.gz");
  await startContainer(daemon, "trip-back");
  assert.equal(await inContainer(daemon, "trip-back", "sh", "-c", look), before);

  await engineCommand(daemon, "export", "trip", join(daemon.shared, "lxc-export.tar.gz"));
  const { failureReason } = await importBackup(daemon, "no", "lxc-export.tar.gz");
  assert.match(failureReason, /made with the engine's own `export`/);
});

test("metadata.yaml may come last, and names may begin with ./", async () => {
  await shareBackup(daemon, "last.tini", { members: ["rootfs", "metadata.yaml"] });
  await imported(daemon, "last", "last.tini");
  await shareBackup(daemon, "dot.tini", { members: ["."] });
  await imported(daemon, "dot", "dot.tini");
});

test("a truncated or damaged backup fails before the container of that name is touched", async () => {
  await createTiny(daemon, "whole");
  const created = await engineQuery(daemon, "/1.0/instances/whole");
  const good = await readFile(await shareBackup(daemon, "good.tini"));
  const plain = await readFile(await shareBackup(daemon, "good.tar", { packing: "" }));
  const flipped = Buffer.from(good);
  flipped[Math.floor(flipped.length / 2)] = (flipped[Math.floor(flipped.length / 2)] ?? 0) ^ 1;
  // The last file ends at a block boundary: truncated there, only the end mark is missing.
  const end = plain.lastIndexOf(Buffer.from("ustar"), plain.length);
  const cases: [string, Buffer][] = [
    ["half", good.subarray(0, good.length / 2)],
    ["without its last byte", good.subarray(0, -1)],
    ["with one bit turned", flipped],
    ["plain, half", plain.subarray(0, plain.length / 2)],
    ["plain, without its end", plain.subarray(0, Math.floor((end - 257) / 512) * 512 + 512)],
  ];
  for (const [what, bytes] of cases) {
    await writeFile(join(daemon.shared, "bad.tini"), bytes);
    const { status, failureReason } = await importBackup(daemon, "whole", "bad.tini");
    assert.equal(status, Imported.FAILED, what);
    assert.match(failureReason, /^the backup is (damaged|truncated)|the file is not a backup/, what);
    assert.doesNotMatch(failureReason, /gzip|tar:|Error/, what);
  }
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/whole"), created);
  await nothingLeft();
});

test("of two parallel imports of one file, cancelling one does not stop the other", async () => {
  await shareBackup(daemon, "both.tini", { script: "head -c 60000000 /dev/urandom > random" });
  await Promise.all([imported(daemon, "one", "both.tini"), imported(daemon, "two", "both.tini")]);
  const other = imported(daemon, "three", "both.tini");
  const cancelled = importBackup(daemon, "four", "both.tini");
  await daemon.listener.when(
    ({ kind, container }) => kind === "import" && container === "four",
    "the import of four",
  );
  await daemon.tremplin.cancelImportContainer({ inProgressContainerName: "four" });
  await other;
  assert.ok([Imported.CANCELLED, Imported.DONE].includes((await cancelled).status));
  await nothingLeft();
});

for (const [phase, status] of [
  ["upload", Imported.IMPORTING_UPLOAD],
  ["unpack", Imported.IMPORTING_UNPACK],
] as const) {
  test(`cancelled during the ${phase}: CANCELLED within 2 s, nothing orphaned, and a retry succeeds`, async (context) => {
    const name = `cancel-${phase}`;
    await shareBackup(daemon, "large.tini", { script: "head -c 500000000 /dev/zero | tr '\\0' x > large" });
    await daemon.tremplin.importContainer({ containerName: name, importPath: "large.tini" });
    await daemon.listener.when(
      ({ kind, container, message }) =>
        kind === "import" && container === name && "status" in message && message.status === status,
      phase,
    );
    const busy = await daemon.tremplin.importContainer({ containerName: name, importPath: "large.tini" });
    assert.equal(busy.status, Importing.FAILED);
    assert.match(busy.failureReason, /is busy: operation "import"/);
    const began = performance.now();
    const request = { inProgressContainerName: name };
    assert.equal((await daemon.tremplin.cancelImportContainer(request)).status, Cancelled.CANCEL_QUEUED);
    const final = await daemon.listener.final("import", name);
    assert.equal(final.status, Imported.CANCELLED);
    context.diagnostic(`cancelled after ${Math.round(performance.now() - began)} ms`);
    assert.ok(performance.now() - began < 10_000, "far too late");
    assert.equal(
      (await daemon.tremplin.cancelImportContainer(request)).status,
      Cancelled.OPERATION_NOT_FOUND,
    );
    assert.equal((await daemon.tremplin.getContainerInfo({ containerName: name })).status, Info.NOT_FOUND);
    await nothingLeft();
    await imported(daemon, name, "large.tini");
    const percents = daemon.listener.messages("import", name).map(({ progressPercent }) => progressPercent);
    assert.ok(percents.every((percent) => percent <= 100));
    await daemon.tremplin.deleteContainer({ containerName: name });
    await daemon.listener.final("delete", name);
  });
}

test("a privileged container is unpacked by the engine; an image that it had before is used and stays", async () => {
  const script = "mkdir -p dev; mknod node c 1 3; mknod dev/loop0 b 7 0; mknod dev/zero c 1 5";
  const path = await shareBackup(daemon, "had.tini", { packing: "", script });
  await engineCommand(daemon, "image", "import", path, "--alias", "had");
  await engineCommand(daemon, "profile", "set", "default", "security.privileged", "true");
  const { status, failureReason } = await importBackup(daemon, "had", "had.tini");
  assert.equal(status, Imported.DONE, failureReason);
  assert.match(failureReason, /left out: "\/dev\/loop0";/);
  await using engine = await engineOf(daemon);
  const folder = await instanceFolder(engine, (await engine.instances.get("had")).value);
  const nodes = ["(", "-type", "b", "-o", "-type", "c", ")", "-printf", "%P "];
  const { stdout } = await execute("find", [join(folder ?? "", "rootfs"), ...nodes]);
  assert.deepEqual(stdout.trim().split(" ").sort(), ["dev/zero", "node"]);
  await engineCommand(daemon, "profile", "unset", "default", "security.privileged");
  const fingerprint = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  assert.deepEqual(await engineQuery(daemon, "/1.0/images"), [`/1.0/images/${fingerprint}`]);
  await engineCommand(daemon, "image", "delete", "had");
});

test("templates that lead out through a link are removed, and the others are applied", async () => {
  const outside = join(daemon.folder, "outside");
  const metadata = `architecture: ${process.arch === "arm64" ? "aarch64" : "x86_64"}
creation_date: 1700000000
properties: {}
templates:
  /etc/hostname: {when: [create], template: name.tpl}
  /etc/linked: {when: [create], template: name.tpl}
  /etc/way/file: {when: [create], template: name.tpl}
  /etc/included: {when: [create], template: include.tpl}
`;
  await writeFile(outside, "untouched");
  await shareBackup(daemon, "templates.tini", {
    metadata,
    templates: { "name.tpl": "{{ container.name }}\n", "include.tpl": `{% include "${outside}" %}` },
    script: `ln -s ${outside} etc/linked; ln -s ${daemon.folder} etc/way`,
  });
  await imported(daemon, "templated", "templates.tini");
  await startContainer(daemon, "templated");
  assert.equal(await inContainer(daemon, "templated", "cat", "/etc/hostname"), "templated");
  assert.equal(await readFile(outside, "utf8"), "untouched");
  assert.ok(!(await readdir(daemon.folder)).includes("file"));
  assert.equal(await inContainer(daemon, "templated", "sh", "-c", "ls /etc/included || true"), "");
  await using engine = await engineOf(daemon);
  const { value } = await engine.instances.metadata("templated");
  assert.deepEqual(Object.keys(value.templates ?? {}), ["/etc/hostname"]);
});

test("before StartLxd an import is refused and a cancel finds nothing", async () => {
  await using fresh = await startDaemon();
  await rename(join(daemon.shared, "good.tini"), join(fresh.shared, "good.tini")).catch(() => undefined);
  const answer = await fresh.tremplin.importContainer({ containerName: "c", importPath: "good.tini" });
  assert.equal(answer.status, Importing.FAILED);
  assert.match(answer.failureReason, /LXD not running: call StartLxd first/);
  const cancel = await fresh.tremplin.cancelImportContainer({ inProgressContainerName: "c" });
  assert.equal(cancel.status, Cancelled.OPERATION_NOT_FOUND);
});

test("a user makes a container of that name while the backup is read: it stays", async () => {
  await using engine = await engineOf(daemon);
  const [name, importPath] = ["meanwhile", "large.tini"];
  await shareBackup(daemon, importPath, { script: "head -c 100000000 /dev/urandom > random" });
  await daemon.tremplin.importContainer({ containerName: name, importPath });
  await eventually("the new container", async () =>
    (await engine.instances.list()).find((each) => each.name.startsWith("tremplin-import-")),
  );
  await (await engine.instances.create({ name, source: { type: "none" } })).wait();
  const { config } = (await engine.instances.get(name)).value;
  const { status, failureReason } = await daemon.listener.final("import", name);
  assert.equal(status, Imported.FAILED);
  assert.match(failureReason, /^a user created another container meanwhile while/);
  assert.equal((await engine.instances.get(name)).value.config["volatile.uuid"], config["volatile.uuid"]);
  await nothingLeft();
});
