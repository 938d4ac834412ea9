import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as z from "zod";
import { engineWith } from "../../test/support/engine-with.ts";
import { eventually } from "../../test/support/eventually.ts";
import { fakeUsb } from "../../test/support/fake-usb.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { repository } from "../../test/support/repository.ts";
import { testRunner } from "../../test/support/test-runner.ts";
import { silentLogger as log } from "../base/logger.ts";
import {
  ContainerCreationProgress_Status as Create,
  ContainerDeletionProgress_Status as Delete,
  ContainerExportProgress_Status as Export,
  ContainerImportProgress_Status as Import,
  ContainerStartProgress_Status as Start,
  StartLxdProgress_Status as StartLxd,
  ContainerStopProgress_Status as Stop,
  UpgradeContainerProgress_Status as Upgrade,
} from "../contract/tremplin_pb.js";
import { findRootPorts } from "./devices/root-ports.ts";
import { UsbAssignments } from "./devices/usb-assignments.ts";
import type { JournalEntry } from "./notices/journal.ts";
import { createOperation } from "./operations/create/create.ts";
import { deleteOperation } from "./operations/delete.ts";
import { exportOperation } from "./operations/export/export.ts";
import { importOperation } from "./operations/import/import.ts";
import type { OperationDeps } from "./operations/operation-deps.ts";
import type { Runner } from "./operations/runner/runner.ts";
import { OperationSteps } from "./operations/runner/steps.ts";
import { startOperation } from "./operations/start/start.ts";
import { startLxdOperation } from "./operations/start-lxd.ts";
import { stopOperation } from "./operations/stop.ts";
import { commitUpgradeOperation } from "./operations/upgrade/commit-upgrade.ts";
import { rollbackUpgradeOperation } from "./operations/upgrade/rollback-upgrade.ts";
import { upgradeOperation } from "./operations/upgrade/upgrade.ts";
import { UploadedImages } from "./operations/uploaded-images.ts";
import { generic } from "./sites/generic.ts";
import { WrittenSettings } from "./supervisor/prepare/written-settings.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";
import { ContainerStopWatcher } from "./watch/container-stops.ts";

interface EndMessage {
  readonly status: number;
  readonly failureReason?: string;
  readonly progressMessages?: readonly string[];
}

/** A copy of a state folder that commit 1c87db6 wrote, before steps had types. */
async function stateFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "state-v0-"));
  t.after(() => rm(folder, { recursive: true }));
  await cp(join(repository, "test/fixtures/state-v0"), folder, { recursive: true });
  return folder;
}

/** What the supervisor of a daemon is asked for. */
function supervisorWith(resets: unknown[]): unknown {
  return {
    launch: (reset: unknown) => {
      resets.push(reset);
      return { outcome: Promise.resolve({ remark: "" }), recovering: new Promise(() => undefined) };
    },
    answers: async () => true,
  };
}

function addKinds(runner: Runner, deps: OperationDeps): void {
  runner.add(startLxdOperation(deps));
  runner.add(createOperation(deps));
  runner.add(startOperation(deps));
  runner.add(stopOperation(deps));
  runner.add(deleteOperation(deps));
  runner.add(exportOperation(deps));
  runner.add(importOperation(deps));
  runner.add(upgradeOperation(deps));
  runner.add(rollbackUpgradeOperation(deps));
  runner.add(commitUpgradeOperation(deps));
}

const engine = engineWith([
  { name: "created", uuid: "uuid-of-created" },
  { name: "started", uuid: "another" },
  { name: "stopped", uuid: "uuid-of-stopped", config: { "user.note": "kept" } },
  { name: "deleted", uuid: "uuid-of-deleted", config: { "user.note": "changed" } },
  { name: "imported", uuid: "uuid-of-the-new-one" },
  { name: "renamed", uuid: "uuid-of-kept", config: { "user.note": "kept" } },
]);

/** The end of each operation by its id: the status, and the reason or the last line. */
const ends: Readonly<Record<string, readonly [status: number, text: RegExp]>> = {
  "1000000000000001": [StartLxd.STARTED, /^$/],
  "1000000000000002": [Create.CREATED, /^$/],
  "1000000000000003": [Start.FAILED, /^the container started is not the one of the request/],
  "1000000000000004": [Stop.STOPPED, /^$/],
  "1000000000000005": [Delete.FAILED, /^the settings of deleted were changed since/],
  "1000000000000006": [Export.FAILED, /^the daemon died while it exported exported/],
  "1000000000000007": [Export.FAILED, /^the daemon died while it exported emptied/],
  "1000000000000008": [Export.DONE, /^$/],
  "1000000000000009": [Import.DONE, /^$/],
  "100000000000000a": [Upgrade.SUCCEEDED, /^it runs Debian 12 \(bookworm\) now/],
  "100000000000000b": [Upgrade.FAILED, /^a package failed; failed was rolled back/],
  "100000000000000c": [Upgrade.SUCCEEDED, /^it was rolled back/],
  "100000000000000d": [Upgrade.FAILED, /^the container was renamed to renamed/],
  "100000000000000e": [Stop.STOPPED, /^$/],
};

test("operations of every kind are recovered from the steps that an earlier version wrote", async (t) => {
  const folder = await stateFolder(t);
  const messages = new Map<string, EndMessage>();
  const resets: unknown[] = [];
  const daemon = await testRunner({
    folder,
    host: ({ message }, id) => messages.set(id, message as EndMessage).has(id),
  });
  const { runner, journal, finals, clock } = daemon;
  addKinds(runner, {
    supervisor: supervisorWith(resets) as Supervisor,
    engine: () => engine,
    uploads: new UploadedImages(),
    beforeBoot: async () => undefined,
    site: generic,
    places: { state: folder, shared: join(folder, "shared") },
    milestone: undefined,
    shutdownSignal: AbortSignal.timeout(30_000),
    clock,
    log,
  });
  const entries = await journal.entries();
  await finals.resend(entries);
  await runner.recover(entries);
  await eventually("an empty journal", async () => (await journal.entries()).length === 0 || undefined);
  await daemon[Symbol.asyncDispose]();
  for (const [id, [status, text]] of Object.entries(ends)) {
    const { status: end, failureReason = "", progressMessages = [] } = messages.get(`${id}-end`) ?? {};
    assert.equal(end, status, `${id}: ${failureReason}`);
    assert.match(failureReason || (progressMessages.at(-1) ?? ""), text, id);
    messages.delete(`${id}-end`);
  }
  // The refused one, and the one of no operation; the operation with a debt had been delivered.
  assert.deepEqual([...messages.keys()].sort(), ["1000000000000010-end", "2000000000000001-end"]);
  // The reset had begun, so it is not requested again.
  assert.deepEqual(resets, [undefined]);
  assert.deepEqual(await readdir(join(folder, "journal")), []);
});

test("a step of a newer version stays in the journal", async (t) => {
  const folder = await stateFolder(t);
  await using daemon = await testRunner({ folder, host: () => true });
  const [entry] = (await daemon.journal.entries()).filter(({ kind }) => kind === "create");
  const steps = new OperationSteps({ fresh: z.string() }, entry as JournalEntry, daemon.journal);
  await steps.add("fresh", "another");
  const text = await readFile(join(folder, "journal", `${entry?.id}.json`), "utf8");
  assert.deepEqual(JSON.parse(text).steps, { fresh: "another", invented: "by a newer version" });
});

test("a notice that the host rejected is read", async (t) => {
  const folder = await stateFolder(t);
  await using daemon = await testRunner({ folder, host: () => true });
  const [rejected, ...others] = await daemon.rejected.list();
  assert.deepEqual(others, []);
  assert.equal(rejected?.notice.method, "updateDeletionStatus");
  assert.equal(rejected?.reason, "no such rpc");
});

test("the containers that were running are reported as stopped", async (t) => {
  const folder = await stateFolder(t);
  const stopped: string[] = [];
  await using watcher = new ContainerStopWatcher({
    file: join(folder, "running.json"),
    isHidden: () => false,
    report: async (name) => void stopped.push(name),
    clock: new ManualClock(),
    log,
  });
  await watcher.watch(engineWith([]));
  assert.deepEqual(stopped, ["web", "mail"]);
});

test("USB assignments and written settings are read", async (t) => {
  const folder = await stateFolder(t);
  const usb = await UsbAssignments.open(join(folder, "usb.json"), log);
  assert.deepEqual(usb.of(3), { container: "web", identity: "uuid-of-web" });
  await using plugs = await fakeUsb();
  await plugs.addController("0000:04:00.3", { usb3: ["0002", 4], usb4: ["0003", 2] });
  const ports = await usb.number(await findRootPorts(plugs.sys), "boot");
  assert.match(ports[2]?.folder ?? "", /0000:00:01\.0\/usb1\/1-3$/);
  const settings = await WrittenSettings.open({
    file: join(folder, "lxd.settings.json"),
    deferred: false,
    log,
  });
  assert.deepEqual(settings.of("server"), {
    confirmed: { "images.auto_update_interval": "0" },
    pending: undefined,
  });
});
