import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { StartLxdProgress_Status as Launched } from "../../src/contract/tremplin_pb.js";
import { remainsOfReset } from "../support/database-reset.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { engineQuery } from "../support/in-container.ts";
import { createThree, readResetContents } from "../support/reset-fixture.ts";
import { launchedDaemon, startContainer } from "../support/tiny-container.ts";

test("SIGPWR in the middle of a reset leaves no engine, and the next launch goes on", async () => {
  await using daemon = await launchedDaemon();
  await createThree(daemon);
  const before = await readResetContents(daemon);
  await daemon.tremplin.startLxd({ resetLxdDb: true });
  await eventually("a container that is back", async () => {
    const text = await readFile(join(daemon.folder, "state/lxd.reset.json"), "utf8").catch(() => "");
    if (!text.includes("recovering")) return undefined;
    const names = (await engineQuery(daemon, "/1.0/instances").catch(() => [])) as string[];
    return names.length > 0 ? true : undefined;
  });
  assert.equal(await daemon.stop("SIGPWR"), 0);
  await assert.rejects(enginePid(daemon));
  await daemon.start();
  const { status, failureReason } = await daemon.listener.final("startLxd", "", 120_000);
  assert.deepEqual([status, failureReason], [Launched.STARTED, ""]);
  assert.deepEqual(await readResetContents(daemon), before);
  assert.deepEqual(await remainsOfReset(daemon), []);
});

test("SIGPWR before an engine of an earlier run is taken over stops it and its containers", async () => {
  await using daemon = await launchedDaemon();
  await createThree(daemon);
  await startContainer(daemon, "web");
  await daemon.kill();
  const pid = await enginePid(daemon);
  process.kill(pid, "SIGSTOP");
  await daemon.launch();
  await daemon.listener.final("ready");
  process.kill(pid, "SIGCONT");
  assert.equal(await daemon.stop("SIGPWR"), 0);
  await assert.rejects(enginePid(daemon));
});
