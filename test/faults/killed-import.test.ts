import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Engine_State as State } from "../../src/contract/tremplin/v1/guest_pb.js";
import { ContainerImportProgress_Status as Imported } from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import { imported, shareBackup } from "../support/tiny-backup.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** How long after the answer of the rpc the kill comes: from at once until it is mostly done. */
const INSTANTS = [0, 100, 300, 600, 1000];

let daemon: TestDaemon;
let count = 0;
let name: string;

before(async () => {
  daemon = await launchedDaemon();
  await shareBackup(daemon, "new.tini", {
    files: { "etc/which": "new" },
    script: "head -c 20000000 /dev/urandom > random",
  });
});
after(() => daemon[Symbol.asyncDispose]());
beforeEach(async () => {
  name = `k-${count++}`;
  await createTiny(daemon, name);
  await startContainer(daemon, name);
  await inContainer(daemon, name, "sh", "-c", "echo old > /etc/which");
});

async function engineIsBack(): Promise<void> {
  await eventually("the engine taken over", async () => {
    const { engine } = await daemon.guest.getStatus({});
    assert.notEqual(engine?.state, State.FAILED, engine?.failureReason);
    return engine?.state === State.RUNNING ? true : undefined;
  });
}

/** One final notice; the container is the old one, running as before, or the new one; nothing else; a retry works. */
async function allIsRight(): Promise<void> {
  const { status, failureReason } = await daemon.listener.final("import", name);
  assert.ok(status === Imported.DONE || status === Imported.FAILED, `${status}`);
  const instances = (await engineQuery(daemon, "/1.0/instances")) as string[];
  assert.deepEqual(
    instances.filter((url) => url.includes("/tremplin-")),
    [],
  );
  assert.deepEqual(await engineQuery(daemon, "/1.0/images"), [], failureReason);
  if (status === Imported.DONE) await startContainer(daemon, name);
  const which = status === Imported.DONE ? "new" : "old";
  assert.equal(await inContainer(daemon, name, "cat", "/etc/which"), which, failureReason);
  await imported(daemon, name, "new.tini");
  const ends = daemon.listener.notices.filter(
    ({ kind, container, final }) => final && kind === "import" && container === name,
  );
  assert.equal(new Set(ends.map(({ headers }) => headers.get("tremplin-notice"))).size, 2);
  await startContainer(daemon, name);
  assert.equal(await inContainer(daemon, name, "cat", "/etc/which"), "new");
  assert.equal(await inContainer(daemon, name, "stat", "-c", "%s", "/random"), "20000000");
  await daemon.tremplin.deleteContainer({ containerName: name });
  await daemon.listener.final("delete", name);
}

for (const instant of INSTANTS) {
  test(`the daemon is killed ${instant} ms into an import over a running container`, async () => {
    await daemon.tremplin.importContainer({ containerName: name, importPath: "new.tini" });
    await delay(instant);
    await daemon.kill();
    await daemon.start();
    await engineIsBack();
    await allIsRight();
  });
}

for (const instant of [100, 500, 900]) {
  test(`the engine is killed ${instant} ms into an import over a running container`, async () => {
    await daemon.tremplin.importContainer({ containerName: name, importPath: "new.tini" });
    await delay(instant);
    const pid = await enginePid(daemon);
    process.kill(pid, "SIGKILL");
    // The import may have come to its end before: then nobody else waits for the next engine.
    await eventually("the next engine", async () => {
      const next = await enginePid(daemon).catch(() => pid);
      return next === pid ? undefined : await engineQuery(daemon, "/1.0").catch(() => undefined);
    });
    await allIsRight();
  });
}
