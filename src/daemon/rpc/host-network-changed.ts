import { dirname } from "node:path";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { HostNetworkChangedRequest } from "../../contract/tremplin_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { renewNetwork } from "../guest/renew-network.ts";
import { isUsable } from "../supervisor/engine-state.ts";
import { forgetNames } from "../supervisor/network/bridge-dnsmasq.ts";
import type { GuestServiceDeps } from "./guest-service.ts";

/** For one container, whatever it does. Milliseconds. */
const TIME_LIMIT = 10_000;

/** behaviour.md 5.16: all running containers at the same time. Only not being able to list them is an error. */
export function hostNetworkChanged(tools: GuestServiceDeps) {
  const { clock, supervisor, bridge } = tools;

  async function renew(engine: Engine, container: string, outer: AbortSignal): Promise<void> {
    const log = tools.log.child({ container });
    const late = () => new TremplinError("failed", `it did not answer within ${TIME_LIMIT / 1000} s`);
    using limit = new TimeLimit(TIME_LIMIT, late, [outer]);
    try {
      await renewNetwork(engine, container, { signal: limit.signal, clock, log });
    } catch (error) {
      log.warn({ error }, "its network is not renewed");
    }
  }

  return async (_request: HostNetworkChangedRequest, { signal }: HandlerContext) => {
    if (!isUsable(supervisor.state)) return {};
    const engine = tools.engine();
    const running = await runningContainers(engine, signal).catch((error) => {
      throw new ConnectError(errorMessage(error), Code.Internal, undefined, undefined, error);
    });
    if (engine.address.kind === "unix") {
      await forgetNames(dirname(engine.address.path), bridge).catch((error) =>
        tools.log.warn({ error }, "old answers about names may stay for a while"),
      );
    }
    await Promise.all(running.map((name) => renew(engine, name, signal)));
    return {};
  };
}

async function runningContainers(engine: Engine, signal: AbortSignal): Promise<string[]> {
  const instances = await engine.instances.list({ signal });
  return instances
    .filter(({ type, status_code }) => type === "container" && status_code === instanceStatus.running)
    .map(({ name }) => name);
}
