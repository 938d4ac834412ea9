import { flagText } from "../../base/text-codecs.ts";
import { errorMessage, isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import { RestartContainerRequestSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { ContainerStartProgress_Status as Status } from "../../contract/tremplin_pb.js";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { recordIdentity } from "../containers/container-identity.ts";
import { findContainer, getContainer } from "../containers/find-container.ts";
import { shutDown } from "../containers/shut-down.ts";
import { failureMessages } from "./failure-messages.ts";
import { repeatWhile } from "./heartbeat.ts";
import type { OperationDeps } from "./operation-deps.ts";
import type { OperationContext, OperationKind } from "./runner/operation.ts";
import { writeAptList } from "./start/apt.ts";
import { checkMayShiftIds, startSteps } from "./start/id-shift.ts";
import { boot, recoverStart } from "./start/start.ts";

/** Hosts extend their timeout on each message. */
const HEARTBEAT_MS = 30_000;

const steps = {
  ...startSteps,
  /** The container may be down from here on. */
  down: flagText,
  /** The engine stops it for this operation, so nobody else did. */
  stopping: flagText,
};
type Context = OperationContext<typeof steps>;

/** Stops a running container and starts it as it is configured (docs/daily.md#restart). */
export function restartOperation(
  deps: OperationDeps,
): OperationKind<typeof RestartContainerRequestSchema, "updateStartStatus", typeof steps> {
  async function restart(name: string, context: Context) {
    const { signal, log } = context;
    const engine = deps.engine();
    const found = await getContainer(engine, name, signal);
    checkMayRestart(found);
    checkMayShiftIds(found, undefined);
    await recordIdentity(engine, found, context, signal);
    await context.step("down");
    const onStopping = () => context.step("stopping");
    await shutDown(engine, found, { grace: deps.site.stopGrace, onStopping, signal, log });
    return await startAgain(name, context);
  }

  async function startAgain(name: string, context: Context) {
    const { signal, log } = context;
    await writeAptList(deps, name, signal).catch((error) => log.error({ error }, "no package list written"));
    return await boot(deps, name, context);
  }

  const starting = (containerName: string) => ({ containerName, status: Status.STARTING });

  return {
    name: "restart",
    request: RestartContainerRequestSchema,
    notify: "updateStartStatus",
    steps,
    run({ containerName }, context) {
      const every = { every: HEARTBEAT_MS, clock: deps.clock };
      return repeatWhile(
        () => starting(containerName),
        () => restart(containerName, context),
        every,
      );
    },
    ...failureMessages(Status),
    // What was stopped to be started again is started, also after a crash. What a person may have stopped stays stopped.
    async recover({ containerName }, context, interruption) {
      const final = await recoverStart(deps, containerName, context, interruption);
      if (final || !context.steps.down) return final;
      const now = await findContainer(deps.engine(), containerName, context.signal);
      if (now?.status_code !== instanceStatus.stopped) return undefined;
      if (interruption === "failure" || interruption === "cancel") return undefined;
      if (!context.steps.stopping) return failed(containerName, perhapsByAPerson(containerName));
      try {
        return await startAgain(containerName, context);
      } catch (error) {
        context.signal.throwIfAborted();
        if (isUnavailable(error)) throw error;
        return failed(containerName, `it was stopped, and does not start again: ${errorMessage(error)}`);
      }
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} while it restarted ${containerName}; restart it again`,
  };
}

function failed(containerName: string, failureReason: string) {
  return { containerName, status: Status.FAILED, failureReason };
}

function perhapsByAPerson(name: string): string {
  return `${name} is stopped, and perhaps somebody stopped it after the restart was interrupted, so it was left stopped; start it if it is to run`;
}

/** Throws `failed` for a container that does not run, or that the engine deletes when it stops. */
export function checkMayRestart({ name, status, status_code, ephemeral }: Instance): void {
  const refuse = (sentence: string): never => {
    throw new TremplinError("failed", sentence);
  };
  if (status_code === instanceStatus.stopped) refuse(`${name} is not running; start it first`);
  if (status_code !== instanceStatus.running)
    refuse(`${name} is ${status.toLowerCase()}; stop it and start it`);
  if (ephemeral) refuse(`${name} is ephemeral: the engine deletes it when it stops, so it is not restarted`);
}
