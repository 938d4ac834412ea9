import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import {
  CancelExportContainerResponse_Status as Cancel,
  ContainerExportProgress_Status as Exported,
  ExportContainerResponse_Status as Exporting,
} from "../../src/contract/tremplin_pb.js";
import { childrenOf, execute } from "../support/belongings.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { beginExport } from "../support/export-container.ts";
import { type HeldCompressor, heldCompressor } from "../support/held-compressor.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import { smallDisk } from "../support/small-disk.ts";
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
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/big/snapshots"), []);
  const commands = await Promise.all(
    (await childrenOf(daemon.pid)).map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  assert.deepEqual(
    commands.filter((command) => /tar|igzip|cat|xargs|find/.test(command)),
    [],
  );
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

test("cancel ends it: an empty file, no snapshot, no process, and the counters as far as they came", async (t) => {
  await streaming("cancelled.tar.gz");
  const began = performance.now();
  const request = { inProgressContainerName: "big" };
  assert.equal((await daemon.tremplin.cancelExportContainer(request)).status, Cancel.CANCEL_QUEUED);
  const final = await daemon.listener.final("export", "big");
  t.diagnostic(`cancelled in ${Math.round(performance.now() - began)} ms`);
  assert.equal(final.status, Exported.CANCELLED);
  assert.match(final.failureReason, /exporting big was cancelled/);
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

test("another export can begin as soon as the end of one was told", async () => {
  await streaming("first.tar.gz");
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "big" });
  await daemon.listener.final("export", "big");
  await beginExport(daemon, "big", "second.tar.gz");
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "big" });
  await daemon.listener.final("export", "big");
});

test("a disk that is too small fails it with that reason, and the file is empty", async () => {
  await using _disk = await smallDisk(at("small"), 8 * 1024 * 1024);
  for (const path of ["small/backup.tar.gz", "small/backup.tar.zst"]) {
    await beginExport(daemon, "big", path);
    const final = await daemon.listener.final("export", "big");
    assert.equal(final.status, Exported.FAILED);
    assert.match(final.failureReason, /there is no room left where the backup is written; make room/);
    assert.equal(final.bytesExported, 0n);
    await assertUndone(path);
  }
});

const wrong: Record<string, readonly [path: string, reason: RegExp]> = {
  "a path that climbs out": ["../out.tar.gz", /does not lie under the shared folder/],
  "an absolute path elsewhere": ["/var/tmp/out.tar.gz", /does not lie under the shared folder/],
  "a folder that leads out": ["out/x.tar.gz", /does not lie under the shared folder/],
  "a folder that is not there": ["nowhere/x.tar.gz", /cannot write to nowhere\/x\.tar\.gz: ENOENT/],
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

test("a link or a pipe in the place of the file is not written to", async () => {
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
