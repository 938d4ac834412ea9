import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import { type UndoUpgradeRequest, UndoUpgradeRequestSchema } from "../../../contract/tremplin/v1/guest_pb.js";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { instanceStatus } from "../../../engine/resources/instance.ts";
import { noteContainer } from "../../containers/container-identity.ts";
import { deleteSnapshot } from "../../containers/delete-container.ts";
import { getContainer } from "../../containers/find-container.ts";
import { fromPromise, withHeartbeat } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import {
  abandonRollback,
  findRollbackSnapshot,
  isBeforeRollback,
  resumeRollback,
  rollBack,
} from "./rollback-snapshot.ts";
import { upgradeFailureMessages } from "./upgrade-failure.ts";

/** Where a snapshot is a copy, going back takes long. Milliseconds. */
const HEARTBEAT = 10_000;

/** Takes a container back to what it was before its newest upgrade. Its end is told as that of an upgrade is. */
export function rollbackUpgradeOperation(
  tools: OperationDeps,
): OperationKind<typeof UndoUpgradeRequestSchema, "upgradeContainerStatus"> {
  async function undo({ containerName }: UndoUpgradeRequest, context: OperationContext) {
    const { signal } = context;
    const engine = tools.engine();
    const instance = await getContainer(engine, containerName, signal);
    const snapshot = await findRollbackSnapshot(engine, containerName, signal);
    if (!snapshot) throw new TremplinError("failed", noRollbackSnapshot(containerName));
    await noteContainer(engine, instance, context, signal);
    const runs = instance.status_code === instanceStatus.running;
    await context.step("runs", runs ? "yes" : "no");
    await context.step("snapshot", snapshot.name);
    await rollBack(engine, containerName, { snapshot: snapshot.name, isToRun: runs }, context);
    return await finish(containerName, context);
  }

  /** It is back: a snapshot that cannot be deleted now goes by itself, or at the next start of an engine. */
  async function finish(containerName: string, context: OperationContext) {
    const { steps, shutdownSignal } = context;
    try {
      await deleteSnapshot(tools.engine(), containerName, steps.snapshot ?? "", shutdownSignal);
    } catch (error) {
      shutdownSignal.throwIfAborted();
      if (TremplinError.from(error).code === "unavailable") throw error;
      context.log.error({ error }, "it is back, but the snapshot is still there");
      context.owe(`the snapshot ${steps.snapshot} is still there: ${errorMessage(error)}`);
    }
    const line = "it was put back to what it was before its upgrade";
    return { containerName, status: Status.SUCCEEDED, progressMessages: [line] };
  }

  const going = (containerName: string, line: string) => ({
    containerName,
    status: Status.IN_PROGRESS,
    progressMessages: [line],
  });

  return {
    name: "undo-upgrade",
    request: UndoUpgradeRequestSchema,
    notify: "upgradeContainerStatus",
    async *run(request, context) {
      const { containerName } = request;
      yield going(containerName, `putting ${containerName} back to what it was before its upgrade`);
      const every = { every: HEARTBEAT, clock: tools.clock };
      return yield* withHeartbeat(fromPromise(undo(request, context)), every, (silence) =>
        going(containerName, `still putting it back, for ${silence / 1000} s`),
      );
    },
    ...upgradeFailureMessages,
    // From when the container is marked for it, it is carried to its end, unless somebody has gone on with the container.
    async recover({ containerName }, context, interruption) {
      const { steps } = context;
      const { snapshot } = steps;
      const hasFailed = interruption === "failure" || interruption === "cancel";
      if (!snapshot || (hasFailed && !steps.undone)) return undefined;
      // Whoever went on meanwhile did so in what nothing had been done to yet.
      if (interruption === "daemon" && isBeforeRollback(context)) {
        await abandonRollback(tools.engine(), containerName, context);
        return undefined;
      }
      const rollback = { snapshot, isToRun: steps.runs === "yes", isLive: interruption !== "daemon" };
      const stranger = await resumeRollback(tools.engine(), containerName, rollback, context);
      if (stranger === undefined) return await finish(containerName, context);
      return { containerName, status: Status.FAILED, failureReason: stranger };
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} before ${containerName} was put back; undo the upgrade again`,
  };
}

/** The refusal where no upgrade can be undone. */
export function noRollbackSnapshot(name: string): string {
  return `there is no snapshot of ${name} from before an upgrade: none was made in the last seven days, or it was given up`;
}
