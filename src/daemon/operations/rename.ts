import { mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { errorMessage, isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import {
  type RenameContainerRequest,
  RenameContainerRequestSchema,
} from "../../contract/tremplin/v1/guest_pb.js";
import { ContainerCreationProgress_Status as Status } from "../../contract/tremplin_pb.js";
import { type InstanceUpdate, instanceStatus } from "../../engine/resources/instance.ts";
import { bindMountFiles } from "../containers/bind-mounts.ts";
import { reasonToLeave } from "../containers/changes-since.ts";
import {
  findRecordedContainer,
  hasRecordedIdentity,
  identitySteps,
  recordIdentity,
} from "../containers/container-identity.ts";
import { findContainer, getContainer } from "../containers/find-container.ts";
import { waitForPendingOperations } from "../containers/pending-operations.ts";
import { upgradeLogPath } from "../upgrade/upgrade-log.ts";
import type { OperationDeps } from "./operation-deps.ts";
import type { OperationContext, OperationKind } from "./runner/operation.ts";

type Context = OperationContext<typeof identitySteps>;

/** Gives a stopped container another name, and what the daemon keeps under its name too (docs/daily.md#rename-and-copy). */
export function renameOperation(
  deps: OperationDeps,
): OperationKind<typeof RenameContainerRequestSchema, "updateCreateStatus", typeof identitySteps> {
  const failing =
    (status: Status) =>
    ({ newName }: RenameContainerRequest, { message }: TremplinError) => ({
      containerName: newName,
      status,
      failureReason: message,
    });

  return {
    name: "rename",
    request: RenameContainerRequestSchema,
    notify: "updateCreateStatus",
    steps: identitySteps,
    async *run(request, context) {
      const { containerName, newName } = request;
      const { signal } = context;
      const engine = deps.engine();
      yield { containerName: newName, status: Status.DOWNLOADING };
      const found = await getContainer(engine, containerName, signal);
      if (found.status_code !== instanceStatus.stopped) {
        const state = found.status.toLowerCase();
        throw new TremplinError("failed", `${containerName} is ${state}; stop it first`);
      }
      if (await findContainer(engine, newName, signal)) throw nameIsTaken(newName);
      await recordIdentity(engine, found, context, signal);
      await (await engine.instances.rename(containerName, newName, { signal })).wait({ signal });
      return await finish(deps, request, context);
    },
    failed: failing(Status.FAILED),
    cancelled: failing(Status.CANCELLED),
    async recover(request, context, interruption) {
      const { containerName, newName } = request;
      const { signal } = context;
      if (!hasRecordedIdentity(context)) return undefined;
      const engine = deps.engine();
      await waitForPendingOperations(engine, containerName, signal);
      await waitForPendingOperations(engine, newName, signal);
      const match = await findRecordedContainer(engine, containerName, context, signal);
      if (match.is === "same" && match.instance.name === newName) return await finish(deps, request, context);
      const isLive = interruption === "failure" || interruption === "cancel";
      if (isLive || (match.is === "same" && !match.isRenamed)) return undefined;
      const failureReason = reasonToLeave(containerName, match) ?? "";
      return { containerName: newName, status: Status.FAILED, failureReason };
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} before ${containerName} was renamed; rename it again`,
  };
}

/** Renames what the daemon keeps under the name. May be repeated. */
async function follow(
  deps: OperationDeps,
  { containerName, newName }: RenameContainerRequest,
  signal: AbortSignal,
) {
  const { site, places } = deps;
  const engine = deps.engine();
  const files = bindMountFiles(site, places, containerName);
  const newFiles = bindMountFiles(site, places, newName);
  // Files under the old name belong to a container that has got it since.
  if (!(await findContainer(engine, containerName, signal))) {
    for (const [device, file] of files) await move(file, newFiles.get(device) ?? file);
    await move(upgradeLogPath(places.state, containerName), upgradeLogPath(places.state, newName));
  }
  const renamed = new Map([...files].map(([device, file]) => [file, newFiles.get(device)]));
  const { devices } = await getContainer(engine, newName, signal);
  if (Object.values(devices).some(({ source = "" }) => renamed.has(source))) {
    const change = (instance: InstanceUpdate) => ({
      ...instance,
      devices: withSources(instance.devices, renamed),
    });
    await engine.instances.update(newName, change, { signal });
  }
}

/** The container has its new name, so nothing here makes the rename fail. What cannot be done now is owed. */
async function finish(deps: OperationDeps, request: RenameContainerRequest, context: Context) {
  const { containerName, newName } = request;
  const { shutdownSignal: signal, log } = context;
  try {
    await follow(deps, request, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    log.error({ error }, "not everything of the container has its new name yet");
    const rest = `not everything of ${containerName} is named ${newName} yet`;
    context.owe(`${rest}: ${errorMessage(error)}`, newName);
  }
  return { containerName: newName, status: Status.CREATED };
}

/** The refusal for a name that is in use. */
export function nameIsTaken(name: string): TremplinError {
  return new TremplinError(
    "exists",
    `there is a container ${name} already; choose another name, or delete it first`,
  );
}

type Devices = Readonly<Record<string, Readonly<Record<string, string>>>>;

function withSources(devices: Devices, renamed: ReadonlyMap<string, string | undefined>): Devices {
  return Object.fromEntries(
    Object.entries(devices).map(([name, device]) => {
      const source = renamed.get(device.source ?? "");
      return [name, source === undefined ? device : { ...device, source }];
    }),
  );
}

async function move(from: string, to: string): Promise<void> {
  if (from === to) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
