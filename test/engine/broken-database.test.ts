import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { canAccess } from "../../src/base/files/files.ts";
import {
  GetContainerInfoResponse_Status as Info,
  StartLxdProgress_Status as Launched,
} from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { remainsOfReset, startLxd } from "../support/database-reset.ts";
import { enginePid } from "../support/engine-pid.ts";
import { engineQuery } from "../support/in-container.ts";
import { createThree, readResetContents } from "../support/reset-fixture.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** The end of the machine's power: daemon and engine are gone in a moment. */
async function powerCut(daemon: TestDaemon): Promise<void> {
  await daemon.kill();
  process.kill(await enginePid(daemon), "SIGKILL");
}

function database({ folder }: TestDaemon): string {
  return join(folder, "state/lxd/database");
}

/** The network interface of this machine by which a running container is plugged into the bridge. */
async function portOf(daemon: TestDaemon, container: string): Promise<string> {
  const instance = await engineQuery(daemon, `/1.0/instances/${container}`);
  return (instance as { config: Record<string, string> }).config["volatile.eth0.host_name"] as string;
}

function statuses({ listener }: TestDaemon): Launched[] {
  return listener.messages("startLxd").map(({ status }) => status);
}

test("databases that the engine calls broken, or lost, heal: all comes back, and the host hears RECOVERING", async () => {
  await using daemon = await launchedDaemon();
  await createThree(daemon);
  const harm: Record<string, () => Promise<unknown>> = {
    "garbage in the log": () =>
      writeFile(join(database(daemon), "global", "0000000000000001-0000000000000001"), "x".repeat(4096)),
    "the content lost": () => rm(join(database(daemon), "global"), { recursive: true }),
    "all of it lost": () => rm(database(daemon), { recursive: true }),
  };
  // Nobody but the daemon can end it once the engine is gone.
  await startContainer(daemon, "penguin");
  const port = join("/sys/class/net", await portOf(daemon, "penguin"));
  assert.equal(await canAccess(port), true);
  const before = await readResetContents(daemon);
  for (const [what, act] of Object.entries(harm)) {
    await powerCut(daemon);
    await act();
    daemon.listener.notices.length = 0;
    await daemon.start();
    assert.equal(await startLxd(daemon), "", what);
    assert.equal(statuses(daemon).filter((status) => status === Launched.RECOVERING).length, 1, what);
    assert.equal((await daemon.tremplin.getContainerInfo({ containerName: "penguin" })).status, Info.STOPPED);
    assert.deepEqual(await readResetContents(daemon), before, what);
    assert.deepEqual(await remainsOfReset(daemon), [], what);
    assert.equal(await canAccess(port), false, "the network card of a container that is gone");
  }
});

test("an engine that hangs is ended before its database is reset", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  const before = await enginePid(daemon);
  await daemon.kill();
  process.kill(before, "SIGSTOP");
  await daemon.launch();
  await daemon.listener.final("ready");
  await daemon.tremplin.startLxd({ resetLxdDb: true });
  const { status, failureReason } = await daemon.listener.final("startLxd");
  assert.equal(status, Launched.STARTED, failureReason);
  assert.notEqual(await enginePid(daemon), before);
  assert.equal((await daemon.tremplin.getContainerInfo({ containerName: "penguin" })).status, Info.STOPPED);
});
