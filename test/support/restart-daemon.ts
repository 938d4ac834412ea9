import assert from "node:assert/strict";
import { Engine_State as State } from "../../src/contract/tremplin/v1/guest_pb.js";
import type { TestDaemon } from "./daemon.ts";
import { eventually } from "./eventually.ts";

/** Starts a killed daemon again, unless it runs, and waits until its engine runs and everything is recovered. */
export async function restartDaemon(daemon: TestDaemon): Promise<void> {
  if (!daemon.isRunning) await daemon.start();
  await eventually("the engine taken over", async () => {
    const { engine } = await daemon.guest.getStatus({});
    assert.notEqual(engine?.state, State.FAILED, engine?.failureReason);
    if (engine?.state !== State.RUNNING) return undefined;
    return await daemon.guest.listContainers({}).catch(() => undefined);
  });
}
