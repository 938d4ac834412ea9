import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { StartLxdProgress_Status as Launched } from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { journalEntries, untilJournalEmpty } from "../support/journal.ts";
import { restartDaemon } from "../support/restart-daemon.ts";
import { shareBackup } from "../support/tiny-backup.ts";
import { createTiny, launchedDaemon, startContainer, tinyRequest } from "../support/tiny-container.ts";

/** More than an ending daemon may take, whatever its engine does. Milliseconds. */
const LIMIT = 20_000;

const operations: Record<string, (daemon: TestDaemon) => Promise<unknown>> = {
  create: (daemon) => daemon.tremplin.createContainer(tinyRequest(daemon, "fresh")),
  start: (daemon) => daemon.tremplin.startContainer({ containerName: "stopped" }),
  stop: (daemon) => daemon.tremplin.stopContainer({ containerName: "running" }),
  delete: (daemon) => daemon.tremplin.deleteContainer({ containerName: "running" }),
  export: (daemon) =>
    daemon.tremplin.exportContainer({
      containerName: "running",
      exportPath: join(daemon.shared, "running.tar.gz"),
    }),
  import: (daemon) =>
    daemon.tremplin.importContainer({
      containerName: "stopped",
      importPath: join(daemon.shared, "backup.tar.gz"),
    }),
};

for (const [kind, begin] of Object.entries(operations)) {
  test(`an engine hangs during ${kind}: the daemon shuts down, and the next one sends the final notice`, async () => {
    await using daemon = await launchedDaemon();
    await createTiny(daemon, "running");
    await startContainer(daemon, "running");
    await createTiny(daemon, "stopped");
    await shareBackup(daemon, "backup.tar.gz");
    const pid = await enginePid(daemon);
    await begin(daemon);
    process.kill(pid, "SIGSTOP");
    const begun = Date.now();
    const end = await Promise.race([daemon.stop(), delay(2 * LIMIT)]);
    process.kill(pid, "SIGCONT");
    assert.equal(end, 0);
    assert.ok(Date.now() - begun < LIMIT, `${Date.now() - begun} ms`);
    await restartDaemon(daemon);
    await untilJournalEmpty(daemon);
    assert.deepEqual(await journalEntries(daemon), []);
  });
}

test("an engine hangs during its launch: the daemon shuts down, and the next one launches", async () => {
  await using daemon = await launchedDaemon();
  const first = await enginePid(daemon);
  await daemon.stop("SIGPWR");
  await daemon.start();
  await daemon.tremplin.startLxd({});
  const pid = await eventually("the engine", () => enginePid(daemon).catch(() => undefined));
  assert.notEqual(pid, first);
  process.kill(pid, "SIGSTOP");
  const begun = Date.now();
  const end = await Promise.race([daemon.stop(), delay(2 * LIMIT)]);
  process.kill(pid, "SIGCONT");
  assert.equal(end, 0);
  assert.ok(Date.now() - begun < LIMIT, `${Date.now() - begun} ms`);
  await daemon.start();
  const { status } = await daemon.listener.final("startLxd");
  assert.equal(status, Launched.STARTED);
});
