import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { StartLxdProgress_Status as Launched } from "../../src/contract/tremplin_pb.js";
import { startDaemon } from "../support/daemon.ts";
import { startLxd } from "../support/database-reset.ts";
import { engineOf } from "../support/engine-of.ts";
import { enginePid } from "../support/engine-pid.ts";
import { engineCommand } from "../support/in-container.ts";
import { readResetContents } from "../support/reset-fixture.ts";
import { createTiny, launchedDaemon } from "../support/tiny-container.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";

test("a database that is lost and containers that do not come back cost no image: mended, all is there", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  const fingerprint = await upload();
  const before = await readResetContents(daemon);
  const file = join(daemon.folder, "state/lxd/storage-pools/default/containers/penguin/backup.yaml");
  const backup = await readFile(file);
  await daemon.kill();
  process.kill(await enginePid(daemon), "SIGKILL");
  await rm(join(daemon.folder, "state/lxd/database"), { recursive: true });
  await writeFile(file, "no: [");
  await daemon.start();
  for (const _time of ["first", "second"]) {
    await daemon.tremplin.startLxd({});
    const { status } = await daemon.listener.final("startLxd", "", 120_000);
    assert.equal(status, Launched.FAILED);
  }
  await writeFile(file, backup);
  assert.equal(await startLxd(daemon), "");
  assert.deepEqual(await readResetContents(daemon), before);
  await using engine = await engineOf(daemon);
  assert.equal(await engine.images.resolve("tiny"), fingerprint);
  assert.ok(!(await readdir(join(daemon.folder, "state/lxd"))).includes("images.guarded"));

  async function upload(): Promise<string> {
    await using client = await engineOf(daemon);
    return await uploadTinyImage(client);
  }
});

test("no new pool is made over the file of one that cannot be read any more", async () => {
  await using daemon = await startDaemon();
  const disks = join(daemon.folder, "state/lxd/disks");
  await mkdir(disks, { recursive: true });
  const content = randomBytes(20 * 1024 ** 2);
  await writeFile(join(disks, "default.img"), content);
  await daemon.tremplin.startLxd({});
  const { status, failureReason } = await daemon.listener.final("startLxd", "", 120_000);
  assert.equal(status, Launched.FAILED);
  assert.match(failureReason, /knows no storage pool default, but .*default\.img holds one/);
  assert.ok(content.equals(await readFile(join(disks, "default.img"))));
  await rm(join(disks, "default.img"));
  assert.equal(await startLxd(daemon), "");
});

test("a reset whose end cannot be written is not undone: the next launch goes on", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  const before = await readResetContents(daemon);
  await engineCommand(daemon, "config", "set", "core.trust_password", "secret");
  const inTheWay = join(daemon.folder, "state/lxd.missing.json.new");
  await mkdir(inTheWay);
  await daemon.tremplin.startLxd({ resetLxdDb: true });
  const { status, failureReason } = await daemon.listener.final("startLxd", "", 120_000);
  assert.equal(status, Launched.FAILED, failureReason);
  assert.match(failureReason, /lxd\.missing\.json/);
  await rm(inTheWay, { recursive: true });
  assert.match(await startLxd(daemon), /^not restored: config core\.trust_password/);
  assert.deepEqual(await readResetContents(daemon), before);
});

test("a reset that would end an ephemeral container of any project does not begin", async () => {
  await using daemon = await launchedDaemon();
  await using engine = await engineOf(daemon);
  await uploadTinyImage(engine);
  const features = ["features.images=false", "features.profiles=false"].flatMap((each) => ["-c", each]);
  await engineCommand(daemon, "project", "create", "lab", ...features);
  await engineCommand(daemon, "launch", "tiny", "bench", "--ephemeral", "--project", "lab");
  await daemon.tremplin.startLxd({ resetLxdDb: true });
  const { status, failureReason } = await daemon.listener.final("startLxd", "", 120_000);
  assert.equal(status, Launched.FAILED);
  assert.match(failureReason, /^bench is ephemeral, so it would be deleted/);
  assert.equal(await startLxd(daemon), "");
  assert.match(
    await engineCommand(daemon, "list", "--project", "lab", "-f", "csv", "-c", "ns"),
    /bench,RUNNING/,
  );
});
