import assert from "node:assert/strict";
import { lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import {
  CancelExportContainerResponse_Status as Cancel,
  ContainerExportProgress_Status as Exported,
  ExportContainerResponse_Status as Exporting,
} from "../../src/contract/tremplin_pb.js";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { beginExport } from "../support/export-container.ts";
import { hardLinkedFile } from "../support/hard-linked-file.ts";
import { type HeldCompressor, heldCompressor } from "../support/held-compressor.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import { shareSingleFiles } from "../support/single-file-share.ts";
import { smallDisk } from "../support/small-disk.ts";
import { childrenOf, execute } from "../support/system-state.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

let daemon: TestDaemon;
let packer: HeldCompressor;

before(async () => {
  packer = await heldCompressor();
  daemon = await launchedDaemon({ env: { PATH: packer.path } });
  await createTiny(daemon, "big");
  await startContainer(daemon, "big");
  await inContainer(daemon, "big", "sh", "-c", "head -c 300000000 /dev/urandom > /root/huge");
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await packer?.[Symbol.asyncDispose]();
});
afterEach(() => packer.release());

function at(path: string): string {
  return join(daemon.shared, path);
}

/** Nothing of an export that did not come to its end is left but an empty file. */
async function assertUndone(path: string): Promise<void> {
  assert.equal((await stat(at(path))).size, 0);
  await assertCleanedUp(dirname(path));
}

/** There is no unfinished file in the folder, no snapshot, and no process at work. */
async function assertCleanedUp(folder = "."): Promise<void> {
  assert.deepEqual(
    (await readdir(at(folder))).filter((name) => name.startsWith(".tremplin")),
    [],
  );
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/big/snapshots"), []);
  const commands = await Promise.all(
    (await childrenOf(daemon.pid)).map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  assert.deepEqual(
    commands.filter((command) => /tar|igzip|cat|xargs|find/.test(command)),
    [],
  );
}

async function cancelled(): Promise<void> {
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "big" });
  assert.equal((await daemon.listener.final("export", "big")).status, Exported.CANCELLED);
}

async function failed(reason: RegExp): Promise<void> {
  const final = await daemon.listener.final("export", "big");
  assert.equal(final.status, Exported.FAILED);
  assert.match(final.failureReason, reason);
  assert.equal(final.bytesExported, 0n);
}

/** Resolves once bytes of the huge file have been written; no more come until the packer is released. */
async function streaming(path: string): Promise<void> {
  await packer.hold();
  await beginExport(daemon, "big", path);
  await daemon.listener.when(
    ({ kind, message }) =>
      kind === "export" && !seen.has(message) && "bytesExported" in message && message.bytesExported > 0n,
    "an export that writes",
  );
  for (const { message } of daemon.listener.notices) seen.add(message);
  await packer.held();
}
const seen = new Set<unknown>();

test("a cancelled export leaves an empty file, no snapshot, no process, and the last counters", async (t) => {
  await streaming("cancelled.tar.gz");
  const began = performance.now();
  const request = { inProgressContainerName: "big" };
  assert.equal((await daemon.tremplin.cancelExportContainer(request)).status, Cancel.CANCEL_QUEUED);
  const final = await daemon.listener.final("export", "big");
  t.diagnostic(`cancelled in ${Math.round(performance.now() - began)} ms`);
  assert.equal(final.status, Exported.CANCELLED);
  assert.match(final.failureReason, /^the host asked for the export to be cancelled$/);
  assert.equal(final.bytesExported, 0n);
  assert.ok(final.totalInputBytes > 300_000_000n && final.inputBytesStreamed > 0n);
  await assertUndone("cancelled.tar.gz");
  assert.equal((await daemon.tremplin.cancelExportContainer(request)).status, Cancel.OPERATION_NOT_FOUND);
});

test("a cancelled export into a folder leaves nothing in it", async () => {
  await mkdir(at("folder"));
  await streaming("folder");
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "big" });
  assert.equal((await daemon.listener.final("export", "big")).status, Exported.CANCELLED);
  assert.deepEqual(await readdir(at("folder")), []);
});

test("another export can begin as soon as the end of one is reported", async () => {
  await streaming("first.tar.gz");
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "big" });
  await daemon.listener.final("export", "big");
  await beginExport(daemon, "big", "second.tar.gz");
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "big" });
  await daemon.listener.final("export", "big");
});

test("an export to a disk that is too small fails with that reason, and the file is empty", async () => {
  await using _disk = await smallDisk(at("small"), 8 * 1024 * 1024);
  for (const path of ["small/backup.tar.gz", "small/backup.tar.zst"]) {
    await beginExport(daemon, "big", path);
    const final = await daemon.listener.final("export", "big");
    assert.equal(final.status, Exported.FAILED);
    assert.match(final.failureReason, /no disk space is left for the backup; free some/);
    assert.equal(final.bytesExported, 0n);
    await assertUndone(path);
  }
});

test("a cancelled export leaves an older backup and its hard links untouched", async () => {
  const yesterday = await hardLinkedFile(at("kept-cancelled.tar.gz"));
  await streaming("kept-cancelled.tar.gz");
  await cancelled();
  await yesterday.assertUntouched();
  await assertCleanedUp();
});

test("an export whose compressor is killed leaves an older backup untouched", async () => {
  const yesterday = await hardLinkedFile(at("kept-killed.tar.gz"));
  await streaming("kept-killed.tar.gz");
  for (const pid of await childrenOf(daemon.pid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes("igzip")) process.kill(pid, "SIGKILL");
  }
  await failed(/igzip was killed by SIGKILL/);
  await yesterday.assertUntouched();
  await assertCleanedUp();
});

test("an export to a full disk leaves an older backup untouched", async () => {
  await using _disk = await smallDisk(at("full"), 8 * 1024 * 1024);
  const yesterday = await hardLinkedFile(at("full/backup.tar.gz"), "yesterday".repeat(10_000));
  await beginExport(daemon, "big", "full/backup.tar.gz");
  await failed(/no disk space is left for the backup/);
  await yesterday.assertUntouched();
  await assertCleanedUp("full");
});

test("a cancelled export to an empty file leaves that very file, empty", async () => {
  await writeFile(at("made.tar.gz"), "");
  const { ino } = await stat(at("made.tar.gz"));
  await streaming("made.tar.gz");
  assert.ok((await stat(at("made.tar.gz"))).size > 0, "it is not written itself");
  await cancelled();
  await assertUndone("made.tar.gz");
  assert.equal((await stat(at("made.tar.gz"))).ino, ino);
});

test("a cancelled export does not truncate a file that was replaced meanwhile", async () => {
  await writeFile(at("swapped.tar.gz"), "");
  await streaming("swapped.tar.gz");
  await writeFile(at("mine"), "mine");
  await rename(at("mine"), at("swapped.tar.gz"));
  await cancelled();
  assert.equal(await readFile(at("swapped.tar.gz"), "utf8"), "mine");
});

test("in a closed folder an empty file is truncated, and one with content is refused untouched", async () => {
  await using _mounts = await shareSingleFiles(at("alone"), { empty: "", full: "yesterday" });
  await streaming("alone/empty");
  await cancelled();
  assert.equal((await stat(at("alone/empty"))).size, 0);
  await beginExport(daemon, "big", "alone/full");
  await failed(
    /cannot replace alone\/full: it is a mount of its own, .*; delete or empty it, or export to another name/,
  );
  assert.equal(await readFile(at("alone/full"), "utf8"), "yesterday");
});

test("a file with content in a folder where nothing can be made is refused untouched", async () => {
  await mkdir(at("locked"));
  const yesterday = await hardLinkedFile(at("locked/backup"));
  await execute("chattr", ["+i", at("locked")]);
  try {
    await beginExport(daemon, "big", "locked/backup");
    await failed(
      /cannot replace locked\/backup: its folder is closed to the daemon, and a file that is not empty/,
    );
    await yesterday.assertUntouched();
    await beginExport(daemon, "big", "locked/new");
    await failed(/cannot write to locked\/new: /);
  } finally {
    await execute("chattr", ["-i", at("locked")]);
  }
  assert.deepEqual((await readdir(at("locked"))).sort(), ["backup", "backup.1"]);
});

const appearing: Record<string, (path: string) => Promise<unknown>> = {
  "a file that a user makes": (path) => writeFile(path, "mine"),
  "a link that a user makes": (path) => symlink("precious", path),
  "a folder that a user makes": (path) => mkdir(path),
};
for (const [index, [what, make]] of Object.entries(appearing).entries()) {
  test(`${what} that appears under the name meanwhile is kept, and the export fails`, async () => {
    const path = `appearing-${index}.tar.gz`;
    await streaming(path);
    await make(at(path));
    const before = await lstat(at(path), { bigint: true });
    await packer.release();
    await failed(
      /the file at appearing-.* was created or changed .* not replaced: export again, or to another name/,
    );
    const after = await lstat(at(path), { bigint: true });
    assert.deepEqual([after.ino, after.mtimeNs], [before.ino, before.mtimeNs]);
    await assertCleanedUp();
  });
}

test("a file that replaces the old one meanwhile is kept", async () => {
  await writeFile(at("changing.tar.gz"), "yesterday");
  await streaming("changing.tar.gz");
  await writeFile(at("mine"), "different");
  await rename(at("mine"), at("changing.tar.gz"));
  await packer.release();
  await failed(/the file at changing\.tar\.gz was created or changed while/);
  assert.equal(await readFile(at("changing.tar.gz"), "utf8"), "different");
  await assertCleanedUp();
});

test("an export fails when its folder is moved meanwhile", async () => {
  await mkdir(at("moving"));
  await writeFile(at("moving/backup.tar.gz"), "yesterday");
  await streaming("moving/backup.tar.gz");
  await rename(at("moving"), at("moved"));
  await mkdir(at("moving"));
  await packer.release();
  await failed(/its folder was moved or replaced while the backup was written; export it again/);
  assert.deepEqual(await readdir(at("moving")), []);
  assert.deepEqual(await readdir(at("moved")), ["backup.tar.gz"]);
  assert.equal(await readFile(at("moved/backup.tar.gz"), "utf8"), "yesterday");
});

const wrong: Record<string, readonly [path: string, reason: RegExp]> = {
  "a path that climbs out": ["../out.tar.gz", /does not lie under the shared folder/],
  "an absolute path elsewhere": ["/var/tmp/out.tar.gz", /does not lie under the shared folder/],
  "a folder that leads out": ["out/x.tar.gz", /does not lie under the shared folder/],
  "a folder that is not there": [
    "nowhere/x.tar.gz",
    /^cannot write to nowhere\/x\.tar\.gz: there is no folder \/.*\/nowhere; make it$/,
  ],
  "no name at all": ["", /the path of the file is missing/],
};
for (const [what, [exportPath, reason]] of Object.entries(wrong)) {
  test(`${what} is refused before anything is touched`, async () => {
    await symlink("/var/tmp", at("out")).catch(() => undefined);
    const answer = await daemon.tremplin.exportContainer({ containerName: "big", exportPath });
    assert.equal(answer.status, Exporting.FAILED);
    assert.match(answer.failureReason, reason);
  });
}

test("an export does not write to a link or a pipe", async () => {
  await writeFile(at("precious"), "precious");
  await symlink("precious", at("link.tar.gz"));
  await execute("mkfifo", [at("pipe.tar.gz")]);
  for (const path of ["link.tar.gz", "pipe.tar.gz"]) {
    await beginExport(daemon, "big", path);
    const final = await daemon.listener.final("export", "big");
    assert.equal(final.status, Exported.FAILED);
    assert.match(final.failureReason, /cannot write to (link|pipe)\.tar\.gz: /);
  }
  assert.equal(await readFile(at("precious"), "utf8"), "precious");
});

test("a container that is missing or busy is refused with a reason", async () => {
  const missing = await daemon.tremplin.exportContainer({ containerName: "nope", exportPath: "x" });
  assert.equal(missing.status, Exporting.FAILED);
  assert.match(missing.failureReason, /there is no container nope/);
  await streaming("busy.tar.gz");
  const busy = await daemon.tremplin.exportContainer({ containerName: "big", exportPath: "y" });
  assert.equal(busy.status, Exporting.FAILED);
  assert.match(busy.failureReason, /container big is busy: operation "export" is under way/);
  await packer.release();
  assert.equal((await daemon.listener.final("export", "big")).status, Exported.DONE);
});

test("before the engine runs an export fails at once, and there is nothing to cancel", async () => {
  await using fresh = await startDaemon();
  const answer = await fresh.tremplin.exportContainer({ containerName: "c", exportPath: "x" });
  assert.equal(answer.status, Exporting.FAILED);
  assert.match(answer.failureReason, /LXD not running/);
  const cancelled = await fresh.tremplin.cancelExportContainer({ inProgressContainerName: "c" });
  assert.equal(cancelled.status, Cancel.OPERATION_NOT_FOUND);
});
