import { TimeLimit } from "../../../base/async/time-limit.ts";
import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { Instance } from "../../../engine/resources/instance.ts";
import type { RpcDeps } from "../rpc.ts";
import type { DebugSection } from "./debug-text.ts";
import { tailOfStream } from "./log-tail.ts";

/** For the log of one container. */
const TIME_LIMIT_MS = 5_000;

/** The state of a container and the end of its lxc.log. */
export async function containerSection(
  { runner }: Pick<RpcDeps, "runner">,
  engine: Engine,
  { name, status, created_at, last_used_at, expanded_config: config }: Instance,
  signal: AbortSignal,
): Promise<DebugSection> {
  const lines = [
    `${status}, created ${created_at}, last started ${last_used_at}`,
    `under way: ${runner.locks.holder(name)?.kind ?? "nothing"}`,
    `privileged: ${config["security.privileged"] === "true" ? "yes" : "no"}`,
    await containerLog(engine, name, signal),
  ];
  return { title: `container ${name}`, text: lines.join("\n") };
}

async function containerLog(engine: Engine, name: string, signal: AbortSignal): Promise<string> {
  const onTimeout = () => new TremplinError("failed", `there was no answer within ${TIME_LIMIT_MS / 1000} s`);
  using limit = new TimeLimit(TIME_LIMIT_MS, onTimeout, [signal]);
  try {
    const log = await engine.instances.log(name, "lxc.log", { signal: limit.signal }).catch(ifMissing);
    return log ? `lxc.log:\n${await tailOfStream(log)}` : "it has no lxc.log";
  } catch (error) {
    return `its lxc.log cannot be read: ${errorMessage(error)}`;
  }
}
