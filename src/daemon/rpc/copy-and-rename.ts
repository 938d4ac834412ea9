import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { CopyContainerRequest, RenameContainerRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { findContainer, getContainer } from "../containers/find-container.ts";
import { nameIsTaken } from "../operations/rename.ts";
import { checkAction } from "./check-action.ts";
import { begin, type RpcDeps } from "./rpc.ts";

/** Gives a container another name (docs/daily.md#rename-and-copy). */
export function renameContainer(deps: RpcDeps) {
  return async (request: RenameContainerRequest, context: HandlerContext) => {
    const { containerName: name, newName } = request;
    await checkNames(deps, name, newName, context.signal);
    checkAction(deps, "rename", await getContainer(deps.engine.running(), name, context.signal));
    await whileHolding(deps, "rename", newName, name, () =>
      begin(deps, context, deps.kinds.rename, name, request),
    );
    return {};
  };
}

/** Copies a container. */
export function copyContainer(deps: RpcDeps) {
  return async (request: CopyContainerRequest, context: HandlerContext) => {
    const { containerName: name, sourceName } = request;
    await checkNames(deps, sourceName, name, context.signal);
    await whileHolding(deps, "copy", sourceName, name, () =>
      begin(deps, context, deps.kinds.copy, name, request),
    );
    return {};
  };
}

async function checkNames({ engine: access }: RpcDeps, name: string, newName: string, signal: AbortSignal) {
  checkContainerName(name);
  checkContainerName(newName);
  if (name === newName) throw new TremplinError("invalid", `the new name of ${name} must be another one`);
  const engine = access.running();
  await getContainer(engine, name, signal);
  if (await findContainer(engine, newName, signal)) throw nameIsTaken(newName);
}

/** Begins an operation of that kind on `container` that keeps others away from a second container until it ends. */
async function whileHolding(
  { runner }: RpcDeps,
  kind: "copy" | "rename",
  second: string,
  container: string,
  beginOperation: () => Promise<void>,
): Promise<void> {
  const lock = runner.hold(kind, second);
  try {
    await beginOperation();
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  void runner.outcome(kind, container).finally(() => lock[Symbol.dispose]());
}
