import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { isTemporaryName } from "../../base/temporary-name.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { isUnprovisioned } from "../containers/provisioned-mark.ts";
import type { Runner } from "../operations/runner/runner.ts";
import { addressOf } from "./get-container-info.ts";
import type { RpcDeps } from "./rpc.ts";

/** All containers but those under a temporary name. */
export function listContainers({ engine: access, runner }: Pick<RpcDeps, "engine" | "runner">) {
  return async () => {
    const engine = access.running();
    const containers = (await engine.instances.list()).filter(
      ({ name, type }) => type === "container" && !isTemporaryName(name),
    );
    return { containers: await Promise.all(containers.map((each) => describe(engine, runner, each))) };
  };
}

async function describe(engine: Engine, runner: Runner, instance: Instance) {
  const isRunning = instance.status_code === instanceStatus.running;
  const state = isRunning ? await engine.instances.state(instance.name).catch(ifMissing) : undefined;
  return {
    name: instance.name,
    state: instance.status.toLowerCase(),
    ipv4Address: state ? addressOf(state) : "",
    createdAt: timestampFromDate(new Date(instance.created_at)),
    image: instance.config["image.description"] ?? "",
    privileged: instance.expanded_config["security.privileged"] === "true",
    operation: runner.locks.holder(instance.name)?.kind ?? "",
    // One that cannot be read counts as provisioned, as for CreateContainer.
    unprovisioned: await isUnprovisioned(engine, instance).catch(() => false),
  };
}
