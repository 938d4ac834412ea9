import type { HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { checkContainerName } from "../../base/container-name.ts";
import { setNotes } from "../../base/notes.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type SetUpUserRequest, SetUpUserResponse_Status as Status } from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { getContainer } from "../containers/find-container.ts";
import { markProvisioned } from "../containers/provisioned-mark.ts";
import { lockAccounts } from "../guest/account-lock.ts";
import { ensurePrimaryUser } from "../guest/primary-user.ts";
import { checkUserName } from "../guest/user-name.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** For the whole request. */
const TIME_LIMIT_MS = 9_000;

/** docs/contract.md#setupuser. Holds the lock of the container, so that it is neither started nor deleted meanwhile. */
export function setUpUser(deps: RpcDeps) {
  return (request: SetUpUserRequest, context: HandlerContext) => {
    /** The name of the primary user, as soon as it is known: the response has it even if a later step fails. */
    let username = "";
    const onUserName = (name: string): void => {
      username = name;
    };
    const respond = withStatusErrors(
      deps,
      async (_request: SetUpUserRequest, { signal }) => {
        setNotes(context, await setUp(deps, request, signal, onUserName));
        return { status: Status.SUCCESS, failureReason: "", username };
      },
      (failureReason) => ({ status: Status.FAILED, failureReason, username }),
      (reason) => maskUserNames(reason, [username, request.containerUsername]),
    );
    return respond(request, context);
  };
}

async function setUp(
  deps: RpcDeps,
  { containerName: container, containerUsername: name }: SetUpUserRequest,
  requestSignal: AbortSignal,
  onUserName: (name: string) => void,
): Promise<string[]> {
  const { clock, log, runner, site } = deps;
  const engine = deps.engine.running();
  checkContainerName(container);
  checkUserName(name);
  using _taken = runner.hold("set-up-user", container);
  const onTimeout = () => new TremplinError("failed", `it was not done within ${TIME_LIMIT_MS / 1000} s`);
  using limit = new TimeLimit(TIME_LIMIT_MS, onTimeout, [requestSignal]);
  const { signal } = limit;
  const { status_code: status } = await getContainer(engine, container, signal);
  // Nothing else changes the accounts of a stopped container.
  await using _lock =
    status === instanceStatus.stopped ? undefined : await lockAccounts(engine, container, { signal, log });
  using files = await engine.fileSession(container, { signal, timeoutMs: TIME_LIMIT_MS });
  const now = clock.now();
  const spec = { name, users: site.users, now, log, onNameKnown: onUserName };
  const notes = await ensurePrimaryUser(files, spec);
  for (const note of notes) log.info({ container }, note);
  // From now on the container holds a user's data, even if it has never run.
  await markProvisioned(engine, container, signal);
  return notes;
}

/** Keeps user names out of logs and reports: each becomes $USERNAME, wherever it is a word. */
export function maskUserNames(text: string, names: readonly string[]): string {
  const isNamed = (name: string) => name !== "";
  return names.filter(isNamed).reduce((masked, name) => masked.replace(word(name), "$$USERNAME"), text);
}

function word(name: string): RegExp {
  const literal = name.replace(/[^A-Za-z0-9_-]/g, "\\$&");
  return new RegExp(`(?<![A-Za-z0-9_-])${literal}(?![A-Za-z0-9_-])`, "g");
}
