import { checkContainerName } from "../../base/container-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type OsRelease,
  type StartContainerRequest,
  StartContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { findOrRepairContainer, noSuchContainer } from "../containers/find-container.ts";
import { readOsRelease } from "../guest/os-release.ts";
import { wantsPrivilege } from "../operations/start/configure.ts";
import { checkMayShiftIds, needsIdShift } from "../operations/start/id-shift.ts";
import { checkAction } from "./check-action.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** A container must not be able to delay its start through its os-release file. */
const OS_RELEASE_TIMEOUT_MS = 3_000;

interface Response {
  readonly status: Status;
  readonly failureReason: string;
  readonly osRelease?: OsRelease;
}

/** docs/contract.md#startcontainer. */
export function startContainer(deps: RpcDeps) {
  async function osReleaseOf(name: string, signal: AbortSignal): Promise<Pick<Response, "osRelease">> {
    try {
      using files = await deps.engine
        .running()
        .fileSession(name, { signal, timeoutMs: OS_RELEASE_TIMEOUT_MS });
      return { osRelease: (await readOsRelease(files)).message };
    } catch (error) {
      deps.log.info({ error, container: name }, "the os-release file of a container cannot be read");
      return {};
    }
  }

  return withStatusErrors<StartContainerRequest, Response>(
    deps,
    async (request, context) => {
      const { signal } = context;
      const engine = deps.engine.running();
      const { containerName: name } = request;
      checkContainerName(name);
      const privileged = wantsPrivilege(request.privilegeLevel);
      const found = await findOrRepairContainer(engine, deps.runner, name, signal);
      if (!found) throw new TremplinError("not-found", `${noSuchContainer(name)}; create it first`);
      const release = await osReleaseOf(name, signal);
      if (found.status_code === instanceStatus.running && !deps.runner.locks.holder(name)) {
        checkMayShiftIds(found, privileged);
        if (privileged !== undefined) await setPrivilege(name, privileged, signal);
        return { status: Status.RUNNING, failureReason: "", ...release };
      }
      checkAction(deps, "start", found);
      await begin(deps, context, deps.kinds.start, name, request);
      const status = needsIdShift(found, privileged) ? Status.REMAPPING : Status.STARTING;
      return { status, failureReason: "", ...release };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );

  function setPrivilege(name: string, privileged: boolean, signal: AbortSignal): Promise<void> {
    return deps.engine.running().instances.update(
      name,
      (instance) => ({
        ...instance,
        config: { ...instance.config, "security.privileged": String(privileged) },
      }),
      { signal },
    );
  }
}
