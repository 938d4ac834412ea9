import { TremplinError } from "../../base/tremplin-error.ts";
import { type UndoUpgradeRequest, UndoUpgradeRequestSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { UpgradeContainerProgress_Status as Status } from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/instance.ts";
import { untilEngineReturns } from "./engine-return.ts";
import { deleteSnapshot } from "./engine-work.ts";
import { getContainer } from "./lookup.ts";
import type { OperationContext, OperationKind } from "./operation.ts";
import { breakSilence, justWait } from "./silence.ts";
import type { Tools } from "./tools.ts";
import { upgradeEndings } from "./upgrade-endings.ts";
import { findWayBack, goBack } from "./way-back.ts";

/** Where a snapshot is a copy, going back takes long. Milliseconds. */
const HEARTBEAT = 10_000;

/** Takes a container back to what it was before its newest upgrade. Its end is told as that of an upgrade is. */
export function undoUpgradeOperation(
  tools: Tools,
): OperationKind<typeof UndoUpgradeRequestSchema, "upgradeContainerStatus"> {
  async function undo({ containerName }: UndoUpgradeRequest, context: OperationContext) {
    const { signal } = context;
    const engine = tools.engine();
    const { status_code } = await getContainer(engine, containerName, signal);
    const snapshot = await findWayBack(engine, containerName, signal);
    if (!snapshot) throw new TremplinError("failed", noWayBack(containerName));
    await context.step("runs", status_code === instanceStatus.running ? "yes" : "no");
    await context.step("snapshot", snapshot.name);
    return await carryOn(containerName, context);
  }

  /** From when the snapshot is noted it is carried to its end, also by the next daemon. */
  async function carryOn(containerName: string, context: OperationContext) {
    const { steps, ending } = context;
    const snapshot = steps.snapshot ?? "";
    if (!steps.undone) {
      const back = { snapshot, isToRun: steps.runs === "yes", signal: ending };
      await untilEngineReturns(tools, ending, (engine) => goBack(engine, containerName, back));
      await context.step("undone");
    }
    await untilEngineReturns(tools, ending, (engine) =>
      deleteSnapshot(engine, containerName, snapshot, ending),
    ).catch((error) => {
      ending.throwIfAborted();
      context.log.error({ error }, "it is back, but the snapshot is still there");
    });
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
      return yield* breakSilence(justWait(undo(request, context)), every, (silence) =>
        going(containerName, `still putting it back, for ${silence / 1000} s`),
      );
    },
    ...upgradeEndings,
    async recover({ containerName }, context) {
      if (context.steps.snapshot) return await carryOn(containerName, context);
      throw new TremplinError("failed", `the daemon died before ${containerName} was put back; try again`);
    },
  };
}

/** The refusal where no upgrade can be undone. */
export function noWayBack(name: string): string {
  return `there is no snapshot of ${name} from before an upgrade: none was made in the last seven days, or it was given up`;
}
