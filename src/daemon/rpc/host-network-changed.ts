import { dirname } from "node:path";
import type { HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { HostNetworkChangedRequest } from "../../contract/tremplin_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { renewNetwork } from "../guest/renew-network.ts";
import { isUsable } from "../supervisor/engine-state.ts";
import { forgetNames } from "../supervisor/network/bridge-dnsmasq.ts";
import type { RpcDeps } from "./rpc.ts";

/** For one container. */
const TIME_LIMIT_MS = 10_000;

/** docs/contract.md#hostnetworkchanged. All running containers at the same time; only a failure to list them is an error. */
export function hostNetworkChanged(deps: RpcDeps) {
  const { clock, supervisor, bridge } = deps;

  async function renew(engine: Engine, container: string, outer: AbortSignal): Promise<void> {
    const log = deps.log.child({ container });
    const late = () => new TremplinError("failed", `it did not answer within ${TIME_LIMIT_MS / 1000} s`);
    using limit = new TimeLimit(TIME_LIMIT_MS, late, [outer]);
    try {
      await renewNetwork(engine, container, { signal: limit.signal, clock, log });
    } catch (error) {
      log.warn({ error }, "the network of a container could not be renewed");
    }
  }

  return async (_request: HostNetworkChangedRequest, { signal }: HandlerContext) => {
    if (!isUsable(supervisor.state)) return {};
    const engine = deps.engine.running();
    const running = await runningContainers(engine, signal).catch((error) => {
      // The contract knows one code for it.
      throw new TremplinError("failed", errorMessage(error), error);
    });
    if (engine.address.kind === "unix") {
      await forgetNames(dirname(engine.address.path), bridge).catch((error) =>
        deps.log.warn({ error }, "cached DNS answers could not be dropped"),
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
