import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  UpgradeContainerResponse_Status as Status,
  type UpgradeContainerRequest,
} from "../../contract/tremplin_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { readOsRelease } from "../guest/os-release.ts";
import { releaseName, releaseOfOsRelease, releaseOfVersion, upgradePath } from "../upgrade/releases.ts";
import { checkAction } from "./check-action.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#upgradecontainer. */
export function upgradeContainer(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async (request: UpgradeContainerRequest, context: HandlerContext) => {
      const { signal } = context;
      const { containerName: name } = request;
      checkContainerName(name);
      const engine = deps.engine.running();
      if (deps.runner.locks.holder(name)?.kind === deps.kinds.upgrade.name) {
        return { status: Status.ALREADY_RUNNING, failureReason: `an upgrade of ${name} is under way` };
      }
      checkAction(deps, "upgrade", await getContainer(engine, name, signal));
      const running = await readRelease(name, signal);
      const response = responseFor(running, request);
      if (response.status !== Status.STARTED) return response;
      await begin(deps, context, deps.kinds.upgrade, name, request);
      return response;
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );

  async function readRelease(name: string, signal: AbortSignal) {
    using files = await deps.engine.running().fileSession(name, { signal });
    return await readOsRelease(files);
  }
}

/** STARTED if there is a path from the running release to the requested one. */
function responseFor(
  running: Parameters<typeof releaseOfOsRelease>[0],
  { targetVersion }: UpgradeContainerRequest,
) {
  try {
    const to = releaseOfVersion(targetVersion);
    if (upgradePath(releaseOfOsRelease(running), to)) return { status: Status.STARTED, failureReason: "" };
    return { status: Status.ALREADY_UPGRADED, failureReason: `it runs ${releaseName(to)} already` };
  } catch (error) {
    return { status: Status.NOT_SUPPORTED, failureReason: TremplinError.from(error).message };
  }
}
