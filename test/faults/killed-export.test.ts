import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ContainerExportProgress_Status as Exported } from "../../src/contract/tremplin_pb.js";
import { execute, processesWith } from "../support/belongings.ts";
import { comeBack } from "../support/come-back.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { enginePid } from "../support/engine-pid.ts";
import { beginExport, exportContainer } from "../support/export-container.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** How long after the answer of the rpc the daemon is killed: from at once until it is mostly done. */
const INSTANTS = [0, 60, 150, 400, 900];

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
  await createTiny(daemon, "big");
  await startContainer(daemon, "big");
  await inContainer(daemon, "big", "sh", "-c", "head -c 150000000 /dev/urandom > /root/huge");
});
after(() => daemon[Symbol.asyncDispose]());

/** What holds after an export that was interrupted, and after one that was not. */
async function assertRight(path: string, ended: { status: Exported; bytesExported: bigint }): Promise<void> {
  const { size } = await stat(join(daemon.shared, path));
  if (ended.status === Exported.DONE) {
    assert.equal(size, Number(ended.bytesExported));
    await execute("tar", ["-tf", join(daemon.shared, path)]);
  } else assert.equal(size, 0);
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/big/snapshots"), []);
  assert.deepEqual(await engineQuery(daemon, "/1.0/images"), []);
  // It would fail if the container were paused still.
  assert.equal(await inContainer(daemon, "big", "echo", "alive"), "alive");
}

/** How many exports have ended, by their notices' ids. */
function ends(): number {
  const finals = daemon.listener.notices.filter(({ final, kind }) => final && kind === "export");
  return new Set(finals.map(({ headers }) => headers.get("tremplin-notice"))).size;
}

for (const instant of INSTANTS) {
  test(`the daemon killed ${instant} ms into an export: one final notice, which is true; a retry works`, async () => {
    const before = ends();
    await beginExport(daemon, "big", "killed.tar.gz");
    await delay(instant);
    await daemon.kill();
    assert.deepEqual(await processesWith(`tar --create --file=-`), []);
    await comeBack(daemon);
    const final = await daemon.listener.final("export", "big");
    assert.ok(final.status === Exported.DONE || final.status === Exported.FAILED);
    if (final.status === Exported.FAILED)
      assert.match(final.failureReason, /the daemon died .*; export it again/);
    await assertRight("killed.tar.gz", final);
    assert.equal(ends(), before + 1);
    await exportContainer(daemon, "big", "killed.tar.gz");
  });
}

for (const instant of [0, 120, 500]) {
  test(`the engine killed ${instant} ms into an export: one final notice, which is true; a retry works`, async (t) => {
    const before = ends();
    await beginExport(daemon, "big", "killed.tar.gz");
    await delay(instant);
    process.kill(await enginePid(daemon), "SIGKILL");
    const final = await daemon.listener.final("export", "big");
    t.diagnostic(`${Exported[final.status]} ${final.failureReason}`);
    await comeBack(daemon);
    await assertRight("killed.tar.gz", final);
    assert.equal(ends(), before + 1);
    await exportContainer(daemon, "big", "killed.tar.gz");
  });
}

test("a daemon killed while it exports into a folder leaves no file of that", async () => {
  await execute("mkdir", [join(daemon.shared, "folder")]);
  await beginExport(daemon, "big", "folder");
  await daemon.listener.when(
    ({ message }) =>
      "bytesExported" in message &&
      message.bytesExported > 0n &&
      message.status === Exported.EXPORTING_STREAMING,
    "an export that writes",
  );
  await daemon.kill();
  await comeBack(daemon);
  const { status } = await daemon.listener.final("export", "big");
  const names = await readdir(join(daemon.shared, "folder"));
  assert.equal(names.length, status === Exported.DONE ? 1 : 0);
});

test("a daemon that is asked to end in the middle leaves it to the next one", async () => {
  await beginExport(daemon, "big", "asked.tar.gz");
  assert.equal(await daemon.stop(), 0);
  await comeBack(daemon);
  await assertRight("asked.tar.gz", await daemon.listener.final("export", "big"));
});
