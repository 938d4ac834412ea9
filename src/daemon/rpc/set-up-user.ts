import type { HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import { type SetUpUserRequest, SetUpUserResponse_Status as Status } from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { getContainer } from "../containers/find-container.ts";
import { markProvisioned } from "../containers/provisioned-mark.ts";
import { lockAccounts } from "../guest/account-lock.ts";
import { ensurePrimaryUser } from "../guest/person.ts";
import { checkUserName } from "../guest/user-name.ts";
import { checkContainerName } from "./container-name.ts";
import type { RpcDeps } from "./rpc.ts";

/** For all of it, whatever the container does. Milliseconds. */
const TIME_LIMIT = 9_000;

/** The container is taken meanwhile, so that it is neither started nor deleted under us. */
export function setUpUser(tools: RpcDeps) {
  async function setUp(
    { containerName: container, containerUsername: name }: SetUpUserRequest,
    outer: AbortSignal,
    told: (username: string) => void,
  ): Promise<void> {
    const { clock, log, runner, site } = tools;
    const engine = tools.engine();
    checkContainerName(container);
    checkUserName(name);
    using _taken = runner.hold("set-up-user", container);
    const late = () => new TremplinError("failed", `it was not done within ${TIME_LIMIT / 1000} s`);
    using limit = new TimeLimit(TIME_LIMIT, late, [outer]);
    const { signal } = limit;
    const { status_code: status } = await getContainer(engine, container, signal);
    // Nobody but us changes a stopped container.
    await using _lock =
      status === instanceStatus.stopped ? undefined : await lockAccounts(engine, container, { signal, log });
    using files = await engine.fileSession(container, { signal, timeoutMs: TIME_LIMIT });
    await ensurePrimaryUser(files, { name, users: site.users, now: clock.now(), log, told });
    // From now on somebody's work is in it, though it never ran.
    await markProvisioned(engine, container, signal);
  }

  return async (request: SetUpUserRequest, { signal, method }: HandlerContext) => {
    let username = "";
    try {
      await setUp(request, signal, (known) => {
        username = known;
      });
      return { status: Status.SUCCESS, failureReason: "", username };
    } catch (error) {
      const failureReason = withoutNames(errorMessage(error), [username, request.containerUsername]);
      tools.log.warn({ rpc: method.name, container: request.containerName, failureReason }, "refused");
      return { status: Status.FAILED, failureReason, username };
    }
  };
}

/** Who a person is stays out of logs and reports: the name becomes $USERNAME, wherever it is a word. */
export function withoutNames(text: string, names: readonly string[]): string {
  const isNamed = (name: string) => name !== "";
  return names.filter(isNamed).reduce((masked, name) => masked.replace(word(name), "$$USERNAME"), text);
}

function word(name: string): RegExp {
  const literal = name.replace(/[^A-Za-z0-9_-]/g, "\\$&");
  return new RegExp(`(?<![A-Za-z0-9_-])${literal}(?![A-Za-z0-9_-])`, "g");
}
