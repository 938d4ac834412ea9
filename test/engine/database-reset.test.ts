import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  GetContainerInfoResponse_Status as Info,
  StartLxdProgress_Status as Launched,
  StartLxdResponse_Status as Launching,
} from "../../src/contract/tremplin_pb.js";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { remainsOfReset, startLxd } from "../support/database-reset.ts";
import { engineOf } from "../support/engine-of.ts";
import { privateLxd } from "../support/private-lxd.ts";
import { createThree, readResetContents, restorePenguin } from "../support/reset-fixture.ts";
import { restartDaemon } from "../support/restart-daemon.ts";
import { execute } from "../support/system-state.ts";
import { testFolder } from "../support/test-run.ts";
import {
  createTiny,
  launch,
  launchedDaemon,
  shareTinyImage,
  startContainer,
} from "../support/tiny-container.ts";
import { booted } from "../support/tiny-image.ts";

function statuses({ listener }: TestDaemon): Launched[] {
  return listener.messages("startLxd").map(({ status }) => status);
}

test("a reset by request: three containers come back with all that is theirs, and run again", async () => {
  await using daemon = await launchedDaemon();
  await createThree(daemon);
  await startContainer(daemon, "web");
  await using engine = await engineOf(daemon);
  await booted(engine, "web");
  const before = await readResetContents(daemon);
  assert.equal(await startLxd(daemon, true), "");
  await daemon.listener.final("shutdown", "web");
  assert.deepEqual(await readResetContents(daemon), before);
  assert.deepEqual(await remainsOfReset(daemon), []);
  assert.ok(!statuses(daemon).includes(Launched.RECOVERING));
  await startContainer(daemon, "web");
  await restorePenguin(daemon);
});

test("one broken container among three is named and left as it lies, the others come back; repaired, it does too", async () => {
  await using daemon = await launchedDaemon();
  const data = await createThree(daemon);
  const before = await readResetContents(daemon);
  const store = join(daemon.folder, "state/lxd/storage-pools/default/containers/store/backup.yaml");
  await rename(store, `${store}.away`);
  await rename(data, `${data}.away`);
  const remark = await startLxd(daemon, true);
  assert.match(remark, /^not restored: store \(.*\)\. Its files and the old database are kept in /);
  const info = (containerName: string) => daemon.tremplin.getContainerInfo({ containerName });
  assert.equal((await info("penguin")).status, Info.STOPPED);
  assert.equal((await info("store")).status, Info.NOT_FOUND);
  assert.deepEqual(await remainsOfReset(daemon), ["database.old", "networks.old"]);
  // The folder of the third is gone: it starts without, and has it again when it is back.
  await startContainer(daemon, "web");
  await rename(`${data}.away`, data);

  await rename(`${store}.away`, store);
  assert.equal(await startLxd(daemon, true), "");
  const after = await readResetContents(daemon);
  const text = (all: unknown) =>
    JSON.stringify(all)
      .replaceAll('"required":"false",', "")
      .replace(/"volatile\.(last_state|idmap)[^"]*":"(\\.|[^"\\])*",?/g, "");
  assert.deepEqual(JSON.parse(text(after)), JSON.parse(text(before)));
  assert.deepEqual(await remainsOfReset(daemon), []);
});

test("when nothing comes back the old database is put back, with all that was in it", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  const file = join(daemon.folder, "state/lxd/storage-pools/default/containers/penguin/backup.yaml");
  await writeFile(file, "no: [backup");
  const before = await readResetContents(daemon);
  const remark = await startLxd(daemon, true);
  assert.match(remark, /the old one is in use again$/);
  assert.deepEqual(statuses(daemon).slice(-2), [Launched.RECOVERING, Launched.STARTED]);
  assert.deepEqual(await readResetContents(daemon), before);
  assert.deepEqual(await remainsOfReset(daemon), []);
  await startContainer(daemon, "penguin");
});

test("an empty pool is kept, on a first launch there is nothing to reset, two at once share one", async () => {
  await using daemon = await startDaemon();
  assert.equal(await startLxd(daemon, true), "");
  const before = await readResetContents(daemon);
  assert.equal(await startLxd(daemon, true), "");
  assert.deepEqual(await readResetContents(daemon), before);
  // Two that ask at once share one.
  const told = daemon.listener.messages("startLxd").length;
  const both = await Promise.all([true, true].map((resetLxdDb) => daemon.tremplin.startLxd({ resetLxdDb })));
  assert.deepEqual(
    both.map(({ status }) => status),
    [Launching.STARTING, Launching.STARTING],
  );
  await daemon.listener.final("startLxd");
  assert.equal(daemon.listener.messages("startLxd").length, told + 1);
});

test("the database of an engine that runs already is not reset from here", async () => {
  await using lxd = await privateLxd();
  await using daemon = await startDaemon({ engine: `unix:${lxd.address.path}` });
  const { status, failureReason } = await daemon.tremplin.startLxd({ resetLxdDb: true });
  assert.equal(status, Launching.FAILED);
  assert.match(failureReason, /not one that this daemon launched/);
  await launch(daemon);
});

test("where the site says so, a machine with one container gets a new database at each boot, and only then", async () => {
  const place = await testFolder();
  await using _place = { [Symbol.asyncDispose]: () => rm(place, { recursive: true }) };
  const network = { "ipv4.nat": "true", "ipv6.address": "none" };
  const site = { name: "place", network, automaticReset: "penguin" };
  await writeFile(join(place, "site.yaml"), JSON.stringify(site));
  await using daemon = await startDaemon({ site: join(place, "site.yaml") });
  await onBtrfs(daemon);
  await launch(daemon);
  await shareTinyImage(daemon);
  await createTiny(daemon, "penguin");
  const before = await readResetContents(daemon);
  const resets = async () => (await daemon.log()).split('"phase":"discarding"').length - 1;

  await daemon.kill();
  await restartDaemon(daemon);
  assert.equal(await resets(), 0);

  await daemon.stop("SIGPWR");
  await daemon.start();
  assert.equal(await startLxd(daemon), "");
  assert.equal(await resets(), 1);
  assert.deepEqual(await readResetContents(daemon), before);

  await shareTinyImage(daemon);
  await createTiny(daemon, "web");
  await daemon.stop("SIGPWR");
  await daemon.start();
  assert.equal(await startLxd(daemon), "");
  assert.equal(await resets(), 1);
});

/** Has the state folder of a daemon on a btrfs of its own, as in the field. */
async function onBtrfs(daemon: TestDaemon): Promise<void> {
  await daemon.stop();
  const [disk, state] = [join(daemon.folder, "disk"), join(daemon.folder, "state")];
  await execute("truncate", ["-s", "2G", disk]);
  await execute("mkfs.btrfs", ["-q", disk]);
  await execute("mount", ["-o", "loop,user_subvol_rm_allowed", disk, state]);
  await daemon.start();
}
