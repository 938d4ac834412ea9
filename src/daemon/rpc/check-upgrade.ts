import type { HandlerContext } from "@connectrpc/connect";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { CheckUpgradeRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { getContainer } from "../containers/find-container.ts";
import { fromPromise, withHeartbeat } from "../operations/heartbeat.ts";
import { ContainerExec } from "../upgrade/container-exec.ts";
import { findUpgradePath } from "../upgrade/container-release.ts";
import { preflight } from "../upgrade/preflight.ts";
import { releaseOfVersion } from "../upgrade/releases.ts";
import { checkContainerName } from "./container-name.ts";
import type { RpcDeps } from "./rpc.ts";

const HEARTBEAT = 2_000;
/** The longest that anybody may have to wait for it. Milliseconds. */
const TIME_LIMIT = 300_000;

const discardOutput = { output: () => Promise.resolve(), status: () => undefined };

/** The pre-flight of an upgrade alone. */
export function checkUpgrade(tools: RpcDeps) {
  async function look({ containerName: name, targetVersion }: CheckUpgradeRequest, signal: AbortSignal) {
    checkContainerName(name);
    const engine = tools.engine();
    using _lock = tools.runner.hold("check-upgrade", name);
    const instance = await getContainer(engine, name, signal);
    if (instance.status_code !== instanceStatus.running) {
      throw new TremplinError("failed", `${name} is not running; start it first`);
    }
    const inside = new ContainerExec({
      engine: tools.engine,
      container: name,
      listener: discardOutput,
      signal,
    });
    const path = await findUpgradePath(inside, releaseOfVersion(targetVersion));
    return await preflight(engine, instance, inside, path);
  }

  return async function* (request: CheckUpgradeRequest, { signal: outer }: HandlerContext) {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(TIME_LIMIT)]);
    const asking = (seconds: number) => ({ message: `asking the mirrors, for ${seconds} s` });
    try {
      yield { message: "looking into the container" };
      const every = { every: HEARTBEAT, clock: tools.clock };
      const findings = yield* withHeartbeat(fromPromise(look(request, signal)), every, (silence) =>
        asking(silence / 1000),
      );
      yield { notes: [...findings.notes], problems: [...findings.problems], done: true };
    } catch (error) {
      if (outer.aborted) throw error;
      yield { problems: [errorMessage(error)], done: true };
    }
  };
}
