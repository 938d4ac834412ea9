import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type OsRelease,
  type StartContainerRequest,
  StartContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { findOrRepairContainer } from "../containers/find-container.ts";
import { readOsRelease } from "../guest/read-os-release.ts";
import { wantsPrivilege } from "../operations/start/configure.ts";
import { checkMayShiftIds, needsIdShift } from "../operations/start/id-shift.ts";
import { startOperation } from "../operations/start/start.ts";
import { checkContainerName } from "./container-name.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** What a container plants in the way of its os-release must not hold up its start for long. Milliseconds. */
const RELEASE_LIMIT = 3_000;

interface Answer {
  readonly status: Status;
  readonly failureReason: string;
  readonly osRelease?: OsRelease;
}

/** behaviour.md 5.4. */
export function startContainer(tools: RpcDeps) {
  const kind = tools.runner.add(startOperation(tools.operations));

  async function osReleaseOf(name: string, signal: AbortSignal): Promise<Pick<Answer, "osRelease">> {
    try {
      using files = await tools.engine().fileSession(name, { signal, timeoutMs: RELEASE_LIMIT });
      return { osRelease: (await readOsRelease(files)).message };
    } catch (error) {
      tools.log.info({ error, container: name }, "its os-release cannot be read");
      return {};
    }
  }

  return withStatusErrors<StartContainerRequest, Answer>(
    tools,
    async (request, context) => {
      const { signal } = context;
      const engine = tools.engine();
      const { containerName: name } = request;
      checkContainerName(name);
      const privileged = wantsPrivilege(request.privilegeLevel);
      const found = await findOrRepairContainer(engine, tools.runner, name, signal);
      if (!found) throw new TremplinError("not-found", `there is no container ${name}; create it first`);
      const release = await osReleaseOf(name, signal);
      if (found.status_code === instanceStatus.running && !tools.runner.locks.holder(name)) {
        checkMayShiftIds(found, privileged);
        if (privileged !== undefined) await setPrivilege(name, privileged, signal);
        return { status: Status.RUNNING, failureReason: "", ...release };
      }
      await begin(tools, context, kind, name, request);
      const status = needsIdShift(found, privileged) ? Status.REMAPPING : Status.STARTING;
      return { status, failureReason: "", ...release };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );

  function setPrivilege(name: string, privileged: boolean, signal: AbortSignal): Promise<void> {
    return tools.engine().instances.update(
      name,
      (instance) => ({
        ...instance,
        config: { ...instance.config, "security.privileged": String(privileged) },
      }),
      { signal },
    );
  }
}
