import type { HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { checkContainerName } from "../../base/container-name.ts";
import { isTemporaryName } from "../../base/temporary-name.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { ListTimezonesRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { readTimeZone } from "../guest/read-time-zone.ts";
import type { RpcDeps } from "./rpc.ts";

/** For one container. */
const TIME_LIMIT_MS = 20_000;

/** The time zones of all containers, or of those that are named, each once. */
export function listTimezones({ engine: access }: Pick<RpcDeps, "engine">) {
  async function zoneOf(name: string, requestSignal: AbortSignal) {
    const late = () => new TremplinError("failed", `it did not answer within ${TIME_LIMIT_MS / 1000} s`);
    using limit = new TimeLimit(TIME_LIMIT_MS, late, [requestSignal]);
    const engine = access.running();
    try {
      checkContainerName(name);
      const container = await getContainer(engine, name, limit.signal);
      const zone = await readTimeZone(engine, container, limit.signal);
      const failureReason = zone ? "" : "its /etc/localtime has no name";
      return { containerName: name, zone, failureReason };
    } catch (error) {
      requestSignal.throwIfAborted();
      return { containerName: name, zone: "", failureReason: errorMessage(error) };
    }
  }

  return async ({ containerNames }: ListTimezonesRequest, { signal }: HandlerContext) => {
    const names = containerNames.length > 0 ? containerNames : await allNames(access);
    return { containers: await Promise.all([...new Set(names)].map((name) => zoneOf(name, signal))) };
  };
}

async function allNames(access: RpcDeps["engine"]): Promise<string[]> {
  const instances = await access.running().instances.list();
  return instances
    .filter(({ name, type }) => type === "container" && !isTemporaryName(name))
    .map(({ name }) => name);
}
