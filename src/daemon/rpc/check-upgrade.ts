import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import type { CheckUpgradeRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { fromPromise, withHeartbeat } from "../operations/heartbeat.ts";
import { ContainerExec } from "../upgrade/container-exec.ts";
import { findUpgradePath } from "../upgrade/container-release.ts";
import { preflight } from "../upgrade/preflight.ts";
import { releaseOfVersion } from "../upgrade/releases.ts";
import { checkState } from "./check-action.ts";
import type { RpcDeps } from "./rpc.ts";

const HEARTBEAT_MS = 2_000;
/** For the whole request. */
const TIME_LIMIT_MS = 300_000;

/** Discards the output of the checks. */
const noListener = { output: () => Promise.resolve(), status: () => undefined };

/** Checks whether an upgrade can begin. The response carries errors among its problems. */
export function checkUpgrade(deps: RpcDeps) {
  async function check({ containerName: name, targetVersion }: CheckUpgradeRequest, signal: AbortSignal) {
    checkContainerName(name);
    const engine = deps.engine.running();
    using _lock = deps.runner.hold("check-upgrade", name);
    const instance = await getContainer(engine, name, signal);
    checkState("upgrade", instance);
    const inside = new ContainerExec({
      engine: () => deps.engine.running(),
      container: name,
      listener: noListener,
      signal,
    });
    const path = await findUpgradePath(inside, releaseOfVersion(targetVersion));
    return await preflight(engine, instance, inside, path, deps.clock);
  }

  return async function* (request: CheckUpgradeRequest, { signal: requestSignal }: HandlerContext) {
    const signal = AbortSignal.any([requestSignal, AbortSignal.timeout(TIME_LIMIT_MS)]);
    const waiting = (seconds: number) => ({ message: `waiting for the mirrors, for ${seconds} s` });
    try {
      yield { message: "checking the container" };
      const every = { every: HEARTBEAT_MS, clock: deps.clock };
      const findings = yield* withHeartbeat(fromPromise(check(request, signal)), every, (silence) =>
        waiting(silence / 1000),
      );
      yield { notes: [...findings.notes], problems: [...findings.problems], done: true };
    } catch (error) {
      if (requestSignal.aborted) throw error;
      yield { problems: [errorMessage(error)], done: true };
    }
  };
}
