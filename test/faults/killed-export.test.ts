import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { link, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { ContainerExportProgress_Status as Exported } from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { enginePid } from "../support/engine-pid.ts";
import { beginExport, exportContainer } from "../support/export-container.ts";
import { hardLinkedFile } from "../support/hard-linked-file.ts";
import { type HeldCompressor, heldCompressor } from "../support/held-compressor.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import { restartDaemon } from "../support/restart-daemon.ts";
import { execute, processesWith } from "../support/system-state.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** How long after the answer of the rpc the daemon is killed: from at once until it is mostly done. */
const INSTANTS = [0, 60, 150, 400, 900];

let daemon: TestDaemon;
let packer: HeldCompressor;

before(async () => {
  packer = await heldCompressor();
  daemon = await launchedDaemon({ env: { PATH: packer.path } });
  await createTiny(daemon, "big");
  await startContainer(daemon, "big");
  await inContainer(daemon, "big", "sh", "-c", "head -c 150000000 /dev/urandom > /root/huge");
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await packer?.[Symbol.asyncDispose]();
});

function at(path: string): string {
  return join(daemon.shared, path);
}

/** Which file has a name, and what is in it; nothing where none has it. */
async function look(path: string): Promise<string | undefined> {
  const found = await stat(at(path)).catch(() => undefined);
  if (!found) return undefined;
  return `${found.ino} ${createHash("sha256")
    .update(await readFile(at(path)))
    .digest("hex")}`;
}

/** What holds after an export that was interrupted, and after one that was not. `before`: what had the name. */
async function assertRight(
  path: string,
  ended: { status: Exported; bytesExported: bigint },
  before?: string,
): Promise<void> {
  if (ended.status === Exported.DONE) {
    assert.equal((await stat(at(path))).size, Number(ended.bytesExported));
    await execute("tar", ["-tf", at(path)]);
  } else if (before !== undefined) assert.equal(await look(path), before);
  // At most an empty file: the daemon may have died before it made one.
  else assert.equal((await stat(at(path)).catch(() => undefined))?.size ?? 0, 0);
  await assertCleanedUp();
}

async function assertNothingUnfinished(): Promise<void> {
  assert.deepEqual(
    (await readdir(daemon.shared)).filter((name) => name.startsWith(".tremplin")),
    [],
  );
}

/** No unfinished file, no snapshot, no image; and the container goes on. */
async function assertCleanedUp(): Promise<void> {
  await assertNothingUnfinished();
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/big/snapshots"), []);
  assert.deepEqual(await engineQuery(daemon, "/1.0/images"), []);
  // It would fail if the container were paused still.
  assert.equal(await inContainer(daemon, "big", "echo", "alive"), "alive");
}

/** Begins an export and kills the daemon as soon as bytes are written. */
async function killWhileWriting(path: string): Promise<void> {
  await packer.hold();
  const seen = new Set<unknown>(daemon.listener.notices.map(({ message }) => message));
  await beginExport(daemon, "big", path);
  await daemon.listener.when(
    ({ message }) => !seen.has(message) && "bytesExported" in message && message.bytesExported > 0n,
    "an export that writes",
  );
  await daemon.kill();
  await packer.release();
}

/** How many exports have ended, by their notices' ids. */
function ends(): number {
  const finals = daemon.listener.notices.filter(({ final, kind }) => final && kind === "export");
  return new Set(finals.map(({ headers }) => headers.get("tremplin-notice"))).size;
}

for (const instant of INSTANTS) {
  test(`the daemon is killed ${instant} ms into an export: one final notice that is true, and a retry succeeds`, async () => {
    const before = ends();
    const there = await look("killed.tar.gz");
    await beginExport(daemon, "big", "killed.tar.gz");
    await delay(instant);
    await daemon.kill();
    assert.deepEqual(await processesWith(`tar --create --file=-`), []);
    await restartDaemon(daemon);
    const final = await daemon.listener.final("export", "big");
    assert.ok(final.status === Exported.DONE || final.status === Exported.FAILED);
    if (final.status === Exported.FAILED)
      assert.match(final.failureReason, /the daemon died .*; export it again/);
    await assertRight("killed.tar.gz", final, there);
    assert.equal(ends(), before + 1);
    await exportContainer(daemon, "big", "killed.tar.gz");
  });
}

for (const instant of [0, 120, 500]) {
  test(`the engine is killed ${instant} ms into an export: one final notice that is true, and a retry succeeds`, async (t) => {
    const before = ends();
    const there = await look("killed.tar.gz");
    await beginExport(daemon, "big", "killed.tar.gz");
    await delay(instant);
    process.kill(await enginePid(daemon), "SIGKILL");
    const final = await daemon.listener.final("export", "big");
    t.diagnostic(`${Exported[final.status]} ${final.failureReason}`);
    await restartDaemon(daemon);
    await assertRight("killed.tar.gz", final, there);
    assert.equal(ends(), before + 1);
    await exportContainer(daemon, "big", "killed.tar.gz");
  });
}

test("a daemon killed while it exports into a folder leaves no file of that", async () => {
  await execute("mkdir", [at("folder")]);
  await killWhileWriting("folder");
  assert.deepEqual((await readdir(at("folder"))).length, 1);
  await restartDaemon(daemon);
  assert.equal((await daemon.listener.final("export", "big")).status, Exported.FAILED);
  assert.deepEqual(await readdir(at("folder")), []);
});

test("a daemon killed in an export leaves the backup of yesterday, and its hard links, untouched", async () => {
  const yesterday = await hardLinkedFile(at("yesterday.tar.gz"));
  await killWhileWriting("yesterday.tar.gz");
  await yesterday.assertUntouched();
  await restartDaemon(daemon);
  assert.equal((await daemon.listener.final("export", "big")).status, Exported.FAILED);
  await yesterday.assertUntouched();
  await assertCleanedUp();
});

test("a daemon killed in an export to an empty file that was there leaves that one, empty", async () => {
  await writeFile(at("made.tar.gz"), "");
  const { ino } = await stat(at("made.tar.gz"));
  await killWhileWriting("made.tar.gz");
  assert.ok((await stat(at("made.tar.gz"))).size > 0, "it is not written itself");
  await restartDaemon(daemon);
  const { status } = await daemon.listener.final("export", "big");
  assert.equal(status, Exported.FAILED);
  const after = await stat(at("made.tar.gz"));
  assert.deepEqual([after.ino, after.size], [ino, 0]);
  await assertCleanedUp();
});

const mine = Buffer.from("mine");
/** What has the name before the export, and what a person does about it after the kill. */
const since: Record<string, readonly [before: string | undefined, act: (path: string) => Promise<void>]> = {
  "a file under a new name": [undefined, (path) => writeFile(path, mine)],
  "a file in the place of the old one": ["yesterday", (path) => replaceBy(path, mine)],
  "a file in the place of the empty one": ["", (path) => replaceBy(path, mine)],
  "an empty file in the place of the empty one": ["", (path) => replaceBy(path, Buffer.alloc(0))],
  "a copy of the unfinished one, once that is deleted": [
    "",
    async (path) => {
      const half = await readFile(path);
      await rm(path);
      await writeFile(path, half);
    },
  ],
  "something of theirs into the empty one": ["", (path) => writeFile(path, mine)],
  "a copy of another backup into the empty one": ["", (path) => writeFile(path, gzipSync(randomBytes(9000)))],
};
async function replaceBy(path: string, content: Buffer): Promise<void> {
  await writeFile(`${path}.mine`, content);
  await rename(`${path}.mine`, path);
}
for (const [index, [what, [before, act]]] of Object.entries(since).entries()) {
  test(`after the daemon is killed in an export, a person puts ${what}: it stays`, async () => {
    const path = `since-${index}.tar.gz`;
    if (before !== undefined) await writeFile(at(path), before);
    await killWhileWriting(path);
    await act(at(path));
    const theirs = await look(path);
    await link(at(path), at(`${path}.1`));
    await restartDaemon(daemon);
    assert.equal((await daemon.listener.final("export", "big")).status, Exported.FAILED);
    assert.equal(await look(path), theirs);
    assert.equal(await look(`${path}.1`), theirs);
    await assertCleanedUp();
  });
}

test("a daemon that shuts down during an export leaves it to the next one", async () => {
  await beginExport(daemon, "big", "asked.tar.gz");
  assert.equal(await daemon.stop(), 0);
  await restartDaemon(daemon);
  await assertRight("asked.tar.gz", await daemon.listener.final("export", "big"));
});

test("an engine that is killed in an export leaves the backup of yesterday untouched", async () => {
  const yesterday = await hardLinkedFile(at("engine.tar.gz"));
  await packer.hold();
  await beginExport(daemon, "big", "engine.tar.gz");
  await packer.held();
  process.kill(await enginePid(daemon), "SIGKILL");
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "big" });
  const final = await daemon.listener.final("export", "big");
  assert.notEqual(final.status, Exported.DONE);
  await packer.release();
  await restartDaemon(daemon);
  await yesterday.assertUntouched();
  await assertNothingUnfinished();
});
