import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, chown, link, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { ContainerExportProgress_Status as Exported } from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { beginExport, exportContainer } from "../support/export-container.ts";
import { type HeldCompressor, heldCompressor } from "../support/held-compressor.ts";
import { engineCommand, engineQuery, inContainer } from "../support/in-container.ts";
import { shareSingleFiles } from "../support/single-file-share.ts";
import { execute } from "../support/system-state.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

let daemon: TestDaemon;
let packer: HeldCompressor;

before(async () => {
  packer = await heldCompressor();
  daemon = await launchedDaemon({ env: { PATH: packer.path } });
  await createTiny(daemon, "tiny");
  await createTiny(daemon, "running");
  await startContainer(daemon, "running");
  // So that a packer of it can be held before it comes to its end.
  await inContainer(daemon, "running", "sh", "-c", "head -c 30000000 /dev/urandom > /root/some");
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await packer?.[Symbol.asyncDispose]();
});
afterEach(() => packer.release());

function at(path: string): string {
  return join(daemon.shared, path);
}

async function members(path: string): Promise<string[]> {
  return (await execute("tar", ["-tf", at(path)], { maxBuffer: 1 << 26 })).stdout.trim().split("\n");
}

test("a container that never ran: metadata first, then the rootfs; exact counters; no snapshot stays", async () => {
  const final = await exportContainer(daemon, "tiny", "backup.tar.gz");
  const names = await members("backup.tar.gz");
  assert.equal(names[0], "metadata.yaml");
  assert.ok(names.includes("rootfs/etc/passwd"));
  assert.equal(final.totalInputFiles, names.length);
  assert.equal(final.inputFilesStreamed, final.totalInputFiles);
  assert.ok(final.totalInputBytes > 1_000_000n);
  assert.equal(final.inputBytesStreamed, final.totalInputBytes);
  assert.equal(Number(final.bytesExported), (await stat(at("backup.tar.gz"))).size);
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/tiny/snapshots"), []);
});

test("a running container, with owners and modes as it sees them, keeps running", async () => {
  const make =
    "echo mine > /root/mine && chown 1000:42 /root/mine && chmod 4711 /root/mine && mkfifo /root/pipe";
  await inContainer(daemon, "running", "sh", "-c", make);
  await exportContainer(daemon, "running", "running.tar.gz");
  const { stdout } = await execute("tar", ["-tvf", at("running.tar.gz"), "--numeric-owner"]);
  assert.match(stdout, /^-rws--x--x 1000\/42 +5 .* rootfs\/root\/mine$/m);
  assert.match(stdout, /^prw-r--r-- 0\/0 .* rootfs\/root\/pipe$/m);
  assert.equal(await inContainer(daemon, "running", "cat", "/root/mine"), "mine");
});

test("files that change all the time do not fail an export", async () => {
  // So many that every other snapshot of LXD 5.0.2 fails in the middle.
  const churn = "mkdir -p /tmp/$1; cd /tmp/$1; while :; do seq 300 | xargs touch; rm -f *; done";
  const begin = `for n in 1 2 3; do sh -c '${churn}' churn $n > /dev/null 2>&1 & echo $! >> /run/churn; done`;
  await inContainer(daemon, "running", "sh", "-c", begin);
  for (let round = 0; round < 5; round++) await exportContainer(daemon, "running", "churn.tar.gz");
  // It would fail if the container were paused still, or had been started anew.
  await inContainer(daemon, "running", "sh", "-c", "kill $(cat /run/churn)");
  const snapshots = join(daemon.folder, "state/lxd/storage-pools/default/containers-snapshots/running");
  assert.deepEqual(await readdir(snapshots).catch(() => []), []);
});

test("the engine's own command line imports the backup", async () => {
  await exportContainer(daemon, "running", "for-engine.tar.gz");
  await engineCommand(daemon, "image", "import", at("for-engine.tar.gz"), "--alias", "backup");
  await engineCommand(daemon, "init", "backup", "again");
  await engineCommand(daemon, "start", "again");
  assert.equal(await inContainer(daemon, "again", "cat", "/root/mine"), "mine");
  assert.equal(await inContainer(daemon, "again", "stat", "-c", "%u:%g %a", "/root/mine"), "1000:42 4711");
  await engineCommand(daemon, "delete", "--force", "again");
  await engineCommand(daemon, "image", "delete", "backup");
});

test("a folder gets a file that is named by its fingerprint", async () => {
  await mkdir(at("backups"));
  await exportContainer(daemon, "tiny", "backups");
  const [name, ...others] = await readdir(at("backups"));
  assert.deepEqual(others, []);
  const sum = createHash("sha256")
    .update(await readFile(at(`backups/${name}`)))
    .digest("hex");
  assert.equal(name, `${sum}.tar.gz`);
});

test("a name that ends in .tar.zst is packed with zstd", async () => {
  await exportContainer(daemon, "tiny", "backup.tar.zst");
  assert.equal((await readFile(at("backup.tar.zst"))).readUInt32LE(0), 0xfd2fb528);
  assert.equal((await members("backup.tar.zst"))[0], "metadata.yaml");
});

test("an absolute path in the shared folder is used as it is, and an older file is replaced", async () => {
  await exportContainer(daemon, "running", "again.tar.gz");
  const before = (await stat(at("again.tar.gz"))).size;
  await exportContainer(daemon, "tiny", at("again.tar.gz"));
  assert.ok((await stat(at("again.tar.gz"))).size < before);
  await members("again.tar.gz");
});

test("progress comes once or twice a second, also inside a huge file, never before the totals, and never decreases", async () => {
  await inContainer(daemon, "running", "sh", "-c", "head -c 400000000 /dev/urandom > /root/huge");
  const times: number[] = [];
  daemon.listener.answering = ({ kind }) => void (kind === "export" && times.push(performance.now()));
  const seen = daemon.listener.messages("export", "running").length;
  const began = performance.now();
  await packer.hold(20_000_000);
  const exported = exportContainer(daemon, "running", "huge.tar.gz");
  await packer.held();
  const heldAt = daemon.listener.messages("export", "running").length;
  const more = async () => daemon.listener.messages("export", "running").length > heldAt + 2 || undefined;
  await eventually("signs of life in the middle of a file", more);
  await packer.release();
  await exported;
  const duration = performance.now() - began;
  daemon.listener.answering = () => undefined;
  const told = daemon.listener.messages("export", "running").slice(seen);
  assert.equal(told[0]?.status, Exported.EXPORTING_STREAMING);
  assert.ok(told.length - 2 >= Math.floor(duration / 1_000) - 1, `${told.length} notices in ${duration} ms`);
  assert.ok(told.length - 2 <= Math.ceil(duration / 500), `${told.length} notices in ${duration} ms`);
  for (const [index, now] of told.entries()) {
    const before = told[index - 1];
    assert.ok(now.totalInputFiles > 0 && now.totalInputBytes > 0n);
    assert.deepEqual(
      [now.totalInputFiles, now.totalInputBytes],
      [told[0]?.totalInputFiles, told[0]?.totalInputBytes],
    );
    assert.ok(now.inputBytesStreamed <= now.totalInputBytes && now.inputFilesStreamed <= now.totalInputFiles);
    assert.ok(!before || before.inputBytesStreamed <= now.inputBytesStreamed);
    assert.ok(!before || before.bytesExported <= now.bytesExported);
  }
  const inside = told
    .filter(({ inputBytesStreamed: bytes }) => bytes > 0n)
    .map((each) => each.inputFilesStreamed);
  assert.ok(new Set(inside).size < inside.length, "never was the same file told of twice");
  await inContainer(daemon, "running", "rm", "/root/huge");
});

test("two containers are exported in parallel", async () => {
  await Promise.all([
    exportContainer(daemon, "tiny", "one.tar.gz"),
    exportContainer(daemon, "running", "two.tar.gz"),
  ]);
  await members("one.tar.gz");
  await members("two.tar.gz");
});

test("a second export to the same file fails, and the first is whole", async () => {
  await packer.hold();
  await beginExport(daemon, "running", "same.tar.gz");
  await packer.held();
  await beginExport(daemon, "tiny", "same.tar.gz");
  const refused = await daemon.listener.final("export", "tiny");
  assert.equal(refused.status, Exported.FAILED);
  assert.match(refused.failureReason, /another export is being written to same\.tar\.gz/);
  await packer.release();
  assert.equal((await daemon.listener.final("export", "running")).status, Exported.DONE);
  await members("same.tar.gz");
});

test("a replaced file keeps its hard links, and the backup gets its owner and mode", async () => {
  await writeFile(at("daily.tar.gz"), "yesterday");
  await chown(at("daily.tar.gz"), 1000, 1001);
  await chmod(at("daily.tar.gz"), 0o640);
  await link(at("daily.tar.gz"), at("daily.tar.gz.1"));
  await exportContainer(daemon, "tiny", "daily.tar.gz");
  assert.ok((await members("daily.tar.gz")).length > 1);
  assert.equal(await readFile(at("daily.tar.gz.1"), "utf8"), "yesterday");
  const { uid, gid, mode } = await stat(at("daily.tar.gz"));
  assert.deepEqual([uid, gid, mode & 0o7777], [1000, 1001, 0o640]);
});

test("until a backup is whole, the file that it replaces is there, and a new name is unused", async () => {
  await writeFile(at("until.tar.gz"), "yesterday");
  for (const [path, before] of [
    ["until.tar.gz", "yesterday"],
    ["fresh.tar.gz", undefined],
  ] as const) {
    await packer.hold();
    await beginExport(daemon, "running", path);
    await packer.held();
    assert.equal(await readFile(at(path), "utf8").catch(() => undefined), before);
    await packer.release();
    const final = await daemon.listener.final("export", "running");
    assert.equal(final.status, Exported.DONE, final.failureReason);
    await members(path);
    assert.equal((await stat(at(path))).size, Number(final.bytesExported));
  }
  assert.deepEqual(
    (await readdir(daemon.shared)).filter((name) => name.startsWith(".tremplin")),
    [],
  );
});

for (const [what, content] of [
  ["with content", "yesterday"],
  ["that are empty", ""],
] as const) {
  test(`two exports at once to two hard links of one file, ${what}: both are right`, async () => {
    const [one, two] = [`one-${content}.tar.gz`, `two-${content}.tar.gz`];
    await writeFile(at(one), content);
    await link(at(one), at(two));
    await packer.hold();
    await beginExport(daemon, "running", one);
    await packer.held();
    const second = await exportContainer(daemon, "tiny", two);
    await packer.release();
    const first = await daemon.listener.final("export", "running");
    assert.equal(first.status, Exported.DONE, first.failureReason);
    assert.equal((await stat(at(one))).size, Number(first.bytesExported));
    assert.equal((await stat(at(two))).size, Number(second.bytesExported));
    assert.equal((await members(one)).length, first.totalInputFiles);
    assert.equal((await members(two)).length, second.totalInputFiles);
  });
}

test("two containers are exported into one folder at once", async () => {
  await mkdir(at("both"));
  await packer.hold();
  await beginExport(daemon, "running", "both");
  await packer.held();
  await exportContainer(daemon, "tiny", "both");
  await packer.release();
  assert.equal((await daemon.listener.final("export", "running")).status, Exported.DONE);
  const names = await readdir(at("both"));
  assert.equal(names.length, 2);
  for (const name of names) {
    const sum = createHash("sha256").update(await readFile(at(`both/${name}`)));
    assert.equal(name, `${sum.digest("hex")}.tar.gz`);
  }
});

test("a host that shares only one empty file has the backup in that file", async () => {
  await using _mounts = await shareSingleFiles(at("alone"), { "backup.tar.gz": "" });
  const { ino } = await stat(at("alone/backup.tar.gz"));
  const final = await exportContainer(daemon, "tiny", at("alone/backup.tar.gz"));
  const { ino: now, size } = await stat(at("alone/backup.tar.gz"));
  assert.deepEqual([now, size], [ino, Number(final.bytesExported)]);
  await members("alone/backup.tar.gz");
});
