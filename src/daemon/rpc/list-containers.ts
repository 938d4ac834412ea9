import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { isTemporaryName } from "../../base/temporary-name.ts";
import { bytesOf } from "../../engine/resources/engine-size.ts";
import type { FullInstance, InstanceState } from "../../engine/resources/instance.ts";
import type { NetworkState } from "../../engine/resources/network-state.ts";
import { wasEverStarted } from "../containers/container-identity.ts";
import { isUnprovisioned } from "../containers/provisioned-mark.ts";
import type { Runner } from "../operations/runner/runner.ts";
import { newestRollbackSnapshot } from "../operations/upgrade/rollback-snapshot.ts";
import { addressOf } from "./get-container-info.ts";
import type { RpcDeps } from "./rpc.ts";
import { timestampFrom } from "./timestamp.ts";

/** All containers but those under a temporary name, from one answer of the engine. */
export function listContainers({
  engine: access,
  runner,
  clock,
}: Pick<RpcDeps, "engine" | "runner" | "clock">) {
  return async (
    { withUnprovisioned = false }: { withUnprovisioned?: boolean },
    { signal }: { signal?: AbortSignal } = {},
  ) => {
    const engine = access.running();
    const instances = await engine.instances.listFull({ signal });
    const measuredAt = timestampFrom(clock.now());
    const containers = instances.filter(({ name, type }) => type === "container" && !isTemporaryName(name));
    const describeAll = containers.map(async (each) => ({
      ...describe(runner, each),
      ...usage(each, measuredAt),
      // One that cannot be read counts as provisioned, as for CreateContainer.
      ...(withUnprovisioned && {
        unprovisioned: await isUnprovisioned(engine, each, signal).catch(() => false),
      }),
    }));
    return { containers: await Promise.all(describeAll) };
  };
}

function describe(runner: Runner, instance: FullInstance) {
  const { name, status, state, config, expanded_config, snapshots } = instance;
  return {
    name,
    state: status.toLowerCase(),
    ipv4Address: state ? addressOf(state) : "",
    addresses: state ? addressesOf(state) : [],
    createdAt: timestampFromDate(new Date(instance.created_at)),
    ...(wasEverStarted(instance) && { lastUsedAt: timestampFromDate(new Date(instance.last_used_at)) }),
    image: config["image.description"] ?? "",
    privileged: expanded_config["security.privileged"] === "true",
    operation: runner.locks.holder(name)?.kind ?? "",
    hasRollbackSnapshot: newestRollbackSnapshot(snapshots ?? []) !== undefined,
  };
}

/** Those that others can reach, of IPv4 first. */
function addressesOf({ network }: InstanceState): string[] {
  const all = interfacesOf(network).flatMap(({ addresses }) => addresses ?? []);
  const global = all.filter(({ scope }) => scope === "global");
  return [
    ...global.filter(({ family }) => family === "inet"),
    ...global.filter(({ family }) => family !== "inet"),
  ].map(({ address }) => address);
}

/** What the processes of a container use; nothing for one without processes. */
function usage({ state, expanded_config }: FullInstance, measuredAt: ReturnType<typeof timestampFrom>) {
  if (!state || state.pid <= 0) return {};
  const { cpu, memory, processes, disk, network } = state;
  const counters = interfacesOf(network).flatMap((each) => each.counters ?? []);
  return {
    usage: {
      measuredAt,
      cpuNanoseconds: amount(cpu.usage),
      memoryBytes: amount(memory.usage),
      memoryLimitBytes: amount(bytesOf(expanded_config["limits.memory"] ?? "")),
      processes: Math.max(0, processes),
      receivedBytes: amount(counters.reduce((sum, each) => sum + each.bytes_received, 0)),
      sentBytes: amount(counters.reduce((sum, each) => sum + each.bytes_sent, 0)),
      diskBytes: amount(disk?.root?.usage ?? 0),
    },
  };
}

/** All but the loopback. */
function interfacesOf(network: InstanceState["network"]): NetworkState[] {
  return Object.entries(network ?? {}).flatMap(([name, each]) => (name === "lo" ? [] : [each]));
}

/** Engines answer -1 for what they cannot measure. */
function amount(value: number): bigint {
  return BigInt(Math.max(0, Math.trunc(value) || 0));
}
