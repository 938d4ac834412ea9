import { TremplinError } from "../../base/tremplin-error.ts";
import { RollbackResponse_Status as Rollback } from "../../contract/tremplin/v1/guest_pb.js";
import type { Forward, OperationInfo } from "../../contract/tremplin/v1/host_pb.js";
import {
  CreateContainerResponse_Status as Create,
  DeleteContainerResponse_Status as Delete,
  ExportContainerResponse_Status as Export,
  GetContainerUsernameResponse_Status as Found,
  type GetContainerUsernameResponse,
  ImportContainerResponse_Status as Import,
  GetContainerInfoResponse_Status as Info,
  SetUpUserResponse_Status as SetUp,
  StartContainerResponse_Status as Start,
  StopContainerResponse_Status as Stop,
  UpgradeContainerResponse_Status as Upgrade,
  CancelUpgradeContainerResponse_Status as UpgradeCancelled,
} from "../../contract/tremplin_pb.js";
import { guestService, host, onGuest, tremplin } from "./host.ts";
import { findContainer } from "./live.ts";
import { live } from "./use-live.ts";

/** Longer than a guest lets a container take. */
const STOP_TIMEOUT_MS = 180_000;

/** A container of a guest. */
export interface Target {
  readonly guest: string;
  readonly name: string;
}

/** Throws unless the status is one of those that mean that it was done, or has begun. */
function accept(answer: { status: number; failureReason?: string }, ...good: number[]): void {
  if (!good.includes(answer.status))
    throw new TremplinError("failed", answer.failureReason || "The guest refused, without a reason");
}

export async function start({ guest, name }: Target): Promise<void> {
  const answer = await tremplin.startContainer({ containerName: name }, onGuest(guest));
  accept(answer, Start.STARTED, Start.STARTING, Start.RUNNING, Start.REMAPPING);
}

export async function stop({ guest, name }: Target): Promise<void> {
  accept(await tremplin.stopContainer({ containerName: name }, onGuest(guest)), Stop.STOPPED, Stop.STOPPING);
}

/** Stops a container and starts it again, while the page is open. */
export async function restart(target: Target): Promise<void> {
  await stop(target);
  await live.until((shown) => {
    const info = findContainer(shown, target.guest, target.name);
    return !info || (info.container?.state === "stopped" && !info.operation);
  }, STOP_TIMEOUT_MS);
  await start(target);
}

export async function remove({ guest, name }: Target): Promise<void> {
  const answer = await tremplin.deleteContainer({ containerName: name }, onGuest(guest));
  accept(answer, Delete.DELETING, Delete.DOES_NOT_EXIST);
}

export async function backUp({ guest, name }: Target, exportPath: string): Promise<void> {
  accept(
    await tremplin.exportContainer({ containerName: name, exportPath }, onGuest(guest)),
    Export.EXPORTING,
  );
}

/** Creates a container from a backup. What the page shows may be older than a container of that name. */
export async function restoreNew({ guest, name }: Target, importPath: string): Promise<void> {
  const answer = await tremplin.getContainerInfo({ containerName: name }, onGuest(guest));
  if (answer.status === Info.RUNNING || answer.status === Info.STOPPED)
    throw new TremplinError("failed", takenText(name));
  accept(answer, Info.NOT_FOUND);
  await restore({ guest, name }, importPath);
}

export function takenText(name: string): string {
  return `There is a container ${name} already. Its own page can replace it by a backup.`;
}

/** Creates a container from a backup, or replaces one. */
export async function restore({ guest, name }: Target, importPath: string): Promise<void> {
  accept(
    await tremplin.importContainer({ containerName: name, importPath }, onGuest(guest)),
    Import.IMPORTING,
  );
}

/** Builds the image of a Debian release, unless it exists, and begins to create the container. */
export async function create(
  { guest, name }: Target,
  debianRelease: string,
  onStep: (message: string, percent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { headers } = onGuest(guest);
  for await (const step of guestService.prepareImage({ debianRelease }, { headers: headers ?? {}, signal })) {
    onStep(step.message, step.percent);
    const { rootfsPath, metadataPath } = step;
    if (!rootfsPath || !metadataPath) continue;
    const answer = await tremplin.createContainer(
      { containerName: name, rootfsPath, metadataPath },
      onGuest(guest),
    );
    if (answer.status === Create.EXISTS)
      throw new TremplinError("failed", `There is a container ${name} already; choose another name`);
    accept(answer, Create.CREATING);
    return;
  }
  throw new TremplinError("failed", `The guest ended without an image of ${debianRelease}; try again`);
}

/** The primary user; undefined where there is none yet. */
export async function userOf({ guest, name }: Target): Promise<GetContainerUsernameResponse | undefined> {
  const answer = await tremplin.getContainerUsername({ containerName: name }, onGuest(guest));
  if (answer.status === Found.USER_NOT_FOUND) return undefined;
  accept(answer, Found.SUCCESS);
  return answer;
}

/** Returns the primary user, which is another one if there was one already. */
export async function setUpUser({ guest, name }: Target, user: string): Promise<string> {
  const request = { containerName: name, containerUsername: user };
  const answer = await tremplin.setUpUser(request, onGuest(guest));
  const failureReason = answer.failureReason.replaceAll("$USERNAME", () => answer.username || user);
  accept({ ...answer, failureReason }, SetUp.SUCCESS, SetUp.EXISTS);
  return answer.username;
}

/** Returns what the person should know, if anything. */
export async function setTimeZone(
  { guest, name }: Target,
  timezoneName: string,
): Promise<string | undefined> {
  const request = { timezoneName, containerNames: [name] };
  const { successes, failureReasons } = await tremplin.setTimezone(request, onGuest(guest));
  const reasons = failureReasons.join("; ");
  if (successes === 0)
    throw new TremplinError("failed", reasons || "The guest refused the time zone, without a reason");
  return reasons || undefined;
}

export async function upgrade({ guest, name }: Target, targetVersion: number): Promise<void> {
  const answer = await tremplin.upgradeContainer({ containerName: name, targetVersion }, onGuest(guest));
  accept(answer, Upgrade.STARTED);
}

export async function rollBackUpgrade({ guest, name }: Target): Promise<void> {
  accept(await guestService.undoUpgrade({ containerName: name }, onGuest(guest)), Rollback.STARTED);
}

export async function commitUpgrade({ guest, name }: Target): Promise<void> {
  accept(await guestService.keepUpgrade({ containerName: name }, onGuest(guest)), Rollback.STARTED);
}

/** Opens or closes the port of this machine that leads to one of a container. */
export async function switchForward(
  { guest, containerName, port }: Forward,
  enabled: boolean,
): Promise<void> {
  await host.setForward({ guest, containerName, port, enabled }, { timeoutMs: 10_000 });
}

/** Ends an operation that can be cancelled. Its final notice says when it has ended. */
export async function cancel({ guest, containerName: name, operation, kind }: OperationInfo): Promise<void> {
  const options = onGuest(guest, operation);
  const inProgress = { inProgressContainerName: name };
  if (kind === "export") await tremplin.cancelExportContainer(inProgress, options);
  else if (kind === "import") await tremplin.cancelImportContainer(inProgress, options);
  else {
    const answer = await tremplin.cancelUpgradeContainer({ containerName: name }, options);
    accept(answer, UpgradeCancelled.CANCELLED, UpgradeCancelled.NOT_RUNNING);
  }
}
