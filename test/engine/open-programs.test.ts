import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  ContainerExportProgress_Status as Exported,
  ContainerStopProgress_Status as Stopped,
} from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { identityStep, leaveOperation } from "../support/journal.ts";
import { restartDaemon } from "../support/restart-daemon.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** A terminal that a user left open over night holds up nothing. */
let daemon: TestDaemon;
let engine: Engine;

before(async () => {
  daemon = await launchedDaemon();
  engine = await engineOf(daemon);
  await createTiny(daemon, "penguin");
  await startContainer(daemon, "penguin");
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});

/** A program that runs in the container until the container stops. */
function openProgram() {
  return engine.exec("penguin", { command: ["sleep", "100000"] });
}

test("an export ends although a program is open, and its snapshot is deleted", async () => {
  await using _program = await openProgram();
  const exportPath = join(daemon.shared, "beside.tar.gz");
  await daemon.tremplin.exportContainer({ containerName: "penguin", exportPath });
  const { status, failureReason } = await daemon.listener.final("export", "penguin");
  assert.equal(status, Exported.DONE, failureReason);
  assert.ok((await stat(exportPath)).size > 0);
  assert.deepEqual(await engine.snapshots.list("penguin"), []);
});

test("an export is cancelled although a program is open", async () => {
  await using _program = await openProgram();
  const exportPath = join(daemon.shared, "cancelled.tar.gz");
  await daemon.tremplin.exportContainer({ containerName: "penguin", exportPath });
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "penguin" });
  const { status } = await daemon.listener.final("export", "penguin");
  assert.ok(status === Exported.CANCELLED || status === Exported.DONE);
  assert.deepEqual(await engine.snapshots.list("penguin"), []);
});

test("a daemon shuts down, and the next one recovers, although a program is open", async () => {
  await using _program = await openProgram();
  await daemon.tremplin.exportContainer({
    containerName: "penguin",
    exportPath: join(daemon.shared, "ended.tar.gz"),
  });
  assert.equal(await daemon.stop(), 0);
  await leaveOperation(daemon, {
    kind: "start",
    container: "penguin",
    steps: await identityStep(engine, "penguin"),
    id: "00000000000000aa",
  });
  await restartDaemon(daemon);
  await daemon.listener.final("export", "penguin");
  await daemon.listener.final("start", "penguin");
  assert.deepEqual(await engine.snapshots.list("penguin"), []);
});

test("a stop ends although a program is open", async () => {
  await using _program = await openProgram();
  await daemon.tremplin.stopContainer({ containerName: "penguin" });
  assert.equal((await daemon.listener.final("stop", "penguin")).status, Stopped.STOPPED);
});
