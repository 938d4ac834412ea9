import { silentLogger } from "../../src/base/logger.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";

/** A client of the engine that a daemon launched, beside the daemon's own: to look into containers, and to prepare them. */
export async function engineOf(daemon: TestDaemon): Promise<Engine> {
  const { engine } = await daemon.guest.getStatus({});
  return Engine.connect({ kind: "unix", path: engine?.socket ?? "" }, { log: silentLogger });
}
