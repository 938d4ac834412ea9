import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  UpgradeContainerResponse_Status as Status,
  type UpgradeContainerRequest,
} from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { getContainer } from "../containers/find-container.ts";
import { readOsRelease } from "../guest/os-release.ts";
import { upgradeOperation } from "../operations/upgrade/upgrade.ts";
import { releaseName, releaseOfOsRelease, releaseOfVersion, upgradePath } from "../upgrade/releases.ts";
import { checkContainerName } from "./container-name.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.14. */
export function upgradeContainer(tools: RpcDeps) {
  const kind = tools.runner.add(upgradeOperation(tools.operations));
  return withStatusErrors(
    tools,
    async (request: UpgradeContainerRequest, context: HandlerContext) => {
      const { signal } = context;
      const { containerName: name } = request;
      checkContainerName(name);
      const engine = tools.engine();
      if (tools.runner.locks.holder(name)?.kind === kind.name) {
        return { status: Status.ALREADY_RUNNING, failureReason: `an upgrade of ${name} is under way` };
      }
      const { status_code } = await getContainer(engine, name, signal);
      if (status_code !== instanceStatus.running) {
        throw new TremplinError("failed", `${name} is not running; start it first`);
      }
      const running = await readRelease(name, signal);
      const answer = judge(running, request);
      if (answer.status !== Status.STARTED) return answer;
      await begin(tools, context, kind, name, request);
      return answer;
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );

  async function readRelease(name: string, signal: AbortSignal) {
    using files = await tools.engine().fileSession(name, { signal });
    return await readOsRelease(files);
  }
}

function judge(
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
