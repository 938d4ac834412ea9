import { type ContainerAction, type Refusal, refusalOf } from "../../actions/container-actions.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import type { RpcDeps } from "./rpc.ts";

/**
 * Throws the refusal of an action that is not legal on a container as it is: `busy` while an operation is under way, else
 * `failed`. An operation that begins after that is refused by its lock.
 */
export function checkAction(
  { runner }: Pick<RpcDeps, "runner">,
  action: ContainerAction,
  { name, status }: Pick<Instance, "name" | "status">,
): void {
  const operation = runner.locks.holder(name);
  refuse(refusalOf(action, { name, state: status.toLowerCase(), operation }));
}

/** As checkAction(), for a caller that has the lock of the container. */
export function checkState(
  action: ContainerAction,
  { name, status }: Pick<Instance, "name" | "status">,
): void {
  refuse(refusalOf(action, { name, state: status.toLowerCase() }));
}

function refuse(refusal: Refusal | undefined): void {
  if (refusal) throw new TremplinError(refusal.code === "busy" ? "busy" : "failed", refusal.sentence);
}
