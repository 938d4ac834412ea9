import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { RollbackResponse_Status as Rollback } from "../../src/contract/tremplin/v1/guest_pb.js";
import {
  ContainerImportProgress_Status as Imported,
  UpgradeContainerProgress_Status as Upgraded,
} from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { instanceStatus } from "../../src/engine/resources/instance.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineCommandLine } from "../support/engine-command-line.ts";
import { engineOf } from "../support/engine-of.ts";
import { shareBackup } from "../support/tiny-backup.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** Snapshots and containers of a person are told from ours by marks of ours, never by what they are called. */
let daemon: TestDaemon;
let engine: Engine;
let byHand: ReturnType<typeof engineCommandLine>;
let count = 0;
let name: string;

before(async () => {
  daemon = await launchedDaemon();
  engine = await engineOf(daemon);
  byHand = engineCommandLine(daemon);
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});
beforeEach(async () => {
  name = `whose-${String.fromCharCode(97 + count++)}`;
  await createTiny(daemon, name);
});

async function snapshots(): Promise<string[]> {
  return (await engine.snapshots.list(name)).map((each) => each.name).sort();
}

/** As an upgrade leaves it. */
async function upgraded(id: string): Promise<string> {
  await byHand("config", "set", name, `user.tremplin.operation=${id}`);
  await byHand("snapshot", name, `tremplin-upgrade-${id}`);
  await byHand("config", "unset", name, "user.tremplin.operation");
  return `tremplin-upgrade-${id}`;
}

for (const theirs of [
  "tremplin-upgrade-notes",
  "tremplin-upgrade-0123456789abcdef",
  "tremplin-upgrade-01234567",
]) {
  test(`a user's snapshot called ${theirs} is neither restored nor deleted`, async () => {
    await byHand("snapshot", name, theirs);
    const { guest, listener } = daemon;
    assert.equal((await guest.undoUpgrade({ containerName: name })).status, Rollback.NO_ROLLBACK_SNAPSHOT);
    assert.equal((await guest.keepUpgrade({ containerName: name })).status, Rollback.NO_ROLLBACK_SNAPSHOT);
    const ours = await upgraded("00000000000000aa");
    assert.deepEqual(await snapshots(), [theirs, ours].sort());
    assert.equal((await guest.keepUpgrade({ containerName: name })).status, Rollback.STARTED);
    assert.equal((await listener.final("upgrade", name)).status, Upgraded.SUCCEEDED);
    assert.deepEqual(await snapshots(), [theirs]);
  });
}

test("a snapshot that a user took during an upgrade carries the mark, and is still theirs", async () => {
  await byHand("config", "set", name, "user.tremplin.operation=00000000000000bb");
  await byHand("snapshot", name, "mine");
  assert.equal(
    (await daemon.guest.undoUpgrade({ containerName: name })).status,
    Rollback.NO_ROLLBACK_SNAPSHOT,
  );
  assert.deepEqual(await snapshots(), ["mine"]);
});

test("an import over a protected container fails before it stops or unpacks anything", async () => {
  await startContainer(daemon, name);
  await byHand("config", "set", name, "security.protection.delete=true");
  await byHand("exec", name, "--", "touch", "/run/still-the-same");
  await shareBackup(daemon, "theirs.tar.gz");
  const importPath = join(daemon.shared, "theirs.tar.gz");
  await daemon.tremplin.importContainer({ containerName: name, importPath });
  const { status, failureReason } = await daemon.listener.final("import", name);
  assert.equal(status, Imported.FAILED);
  assert.match(
    failureReason,
    /is protected against deletion \(security.protection.delete is true\): set that/,
  );
  await byHand("exec", name, "--", "stat", "/run/still-the-same");
  const names = (await engine.instances.list()).map((each) => each.name);
  assert.deepEqual(
    names.filter((each) => each.startsWith("tremplin-")),
    [],
  );
});

test("an import over an ephemeral container that cannot be replaced leaves it there", async () => {
  await byHand("config", "set", name, "user.mine=yes");
  await engine.instances.update(name, (instance) => ({ ...instance, ephemeral: true }));
  await startContainer(daemon, name);
  await shareBackup(daemon, "broken.tar.gz", { templates: { "x.tpl": "" }, members: ["metadata.yaml"] });
  const importPath = join(daemon.shared, "broken.tar.gz");
  await daemon.tremplin.importContainer({ containerName: name, importPath });
  assert.equal((await daemon.listener.final("import", name)).status, Imported.FAILED);
  const { value } = await engine.instances.get(name);
  assert.equal(value.config["user.mine"], "yes");
  assert.equal(value.status_code, instanceStatus.running);
});
