import { timestampMs } from "@bufbuild/protobuf/wkt";
import { containerActions, refusalOf } from "../../actions/container-actions.ts";
import type { ActionInfo, ContainerInfo, GuestContainers } from "../../contract/tremplin/v1/host_pb.js";

/**
 * Every action on a container, and why it is not legal now: by the table of the host, which gives the same where it is
 * asked. Here only those that are shown are worked out, not those of all containers at every measurement.
 */
export function legalActions(
  { container, operation, stale }: ContainerInfo,
  { failureReason }: Pick<GuestContainers, "failureReason">,
): ActionInfo[] {
  const { name = "", state = "", operation: kind = "", hasRollbackSnapshot } = container ?? {};
  const begun = operation?.kind === kind && operation.begun ? timestampMs(operation.begun) : undefined;
  const facts = {
    name,
    state,
    hasRollbackSnapshot,
    operation: kind === "" ? undefined : { kind, startedAt: begun },
  };
  return containerActions.map((action) => ({
    $typeName: "tremplin.v1.ActionInfo",
    action,
    refusal: stale ? failureReason : (refusalOf(action, facts)?.sentence ?? ""),
  }));
}
