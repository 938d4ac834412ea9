import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { notesIn } from "../../base/notes.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { RollbackResponse_Status as Rollback } from "../../contract/tremplin/v1/guest_pb.js";
import type { Forward, OperationInfo } from "../../contract/tremplin/v1/host_pb.js";
import {
  DeleteContainerResponse_Status as Delete,
  ExportContainerResponse_Status as Export,
  CancelExportContainerResponse_Status as ExportCancelled,
  GetContainerUsernameResponse_Status as Found,
  type GetContainerUsernameResponse,
  ImportContainerResponse_Status as Import,
  CancelImportContainerResponse_Status as ImportCancelled,
  GetContainerInfoResponse_Status as Info,
  SetUpUserResponse_Status as SetUp,
  StartContainerResponse_Status as Start,
  StopContainerResponse_Status as Stop,
  UpgradeContainerResponse_Status as Upgrade,
  CancelUpgradeContainerResponse_Status as UpgradeCancelled,
} from "../../contract/tremplin_pb.js";
import { guestService, host, onGuest, tremplin } from "./host.ts";

/** A container of a guest. */
export interface Target {
  readonly guest: string;
  readonly name: string;
}

/** Throws unless the status is one of those that mean that it was done, or has begun. */
export function accept(answer: { status: number; failureReason?: string }, ...good: number[]): void {
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

/** Stops a container and starts it again, as one operation of the guest. */
export async function restart({ guest, name }: Target): Promise<void> {
  await guestService.restartContainer({ containerName: name }, onGuest(guest));
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

/** The primary user; undefined where there is none yet. */
export async function userOf({ guest, name }: Target): Promise<GetContainerUsernameResponse | undefined> {
  const answer = await tremplin.getContainerUsername({ containerName: name }, onGuest(guest));
  if (answer.status === Found.USER_NOT_FOUND) return undefined;
  accept(answer, Found.SUCCESS);
  return answer;
}

interface SetUpUser {
  /** Another one than was asked for if there was one already. */
  readonly username: string;
  /** What a person should know about it. */
  readonly notes: readonly string[];
}

/** Makes an account the primary user. */
export async function setUpUser({ guest, name }: Target, user: string): Promise<SetUpUser> {
  const request = { containerName: name, containerUsername: user };
  let notes: readonly string[] = [];
  const onHeader = (header: Headers): void => {
    notes = notesIn(header);
  };
  const answer = await tremplin.setUpUser(request, { ...onGuest(guest), onHeader });
  const failureReason = answer.failureReason.replaceAll("$USERNAME", () => answer.username || user);
  accept({ ...answer, failureReason }, SetUp.SUCCESS, SetUp.EXISTS);
  return { username: answer.username, notes };
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

/** What the guest calls an operation that is under way; undefined: it knows no such operation. */
export async function kindOf({ guest, operation, kind }: OperationInfo): Promise<string | undefined> {
  try {
    const { operations } = await guestService.getStatus({}, { ...onGuest(guest), timeoutMs: 10_000 });
    return operations.find(({ id }) => id === operation)?.kind;
  } catch (thrown) {
    // A guest with the contract alone has no other operations than those of its notices.
    if (ConnectError.from(thrown).code === Code.Unimplemented) return kind;
    return undefined;
  }
}

/**
 * Ends an operation that can be cancelled. Its final notice says when it has ended. `kind`: what the guest calls it,
 * since several report by the same notices.
 */
export async function cancel(
  { guest, containerName, operation }: OperationInfo,
  kind: string,
): Promise<void> {
  if (await cancelKind(kind, containerName, onGuest(guest, operation))) return;
  throw new TremplinError("failed", "It is not under way any more, so there was nothing to cancel");
}

/** Returns whether there was something to cancel. */
async function cancelKind(kind: string, containerName: string, options: CallOptions): Promise<boolean> {
  const inProgress = { inProgressContainerName: containerName };
  if (kind === "export") {
    const answer = await tremplin.cancelExportContainer(inProgress, options);
    accept(answer, ExportCancelled.CANCEL_QUEUED, ExportCancelled.OPERATION_NOT_FOUND);
    return answer.status === ExportCancelled.CANCEL_QUEUED;
  }
  if (kind === "import") {
    const answer = await tremplin.cancelImportContainer(inProgress, options);
    accept(answer, ImportCancelled.CANCEL_QUEUED, ImportCancelled.OPERATION_NOT_FOUND);
    return answer.status === ImportCancelled.CANCEL_QUEUED;
  }
  if (kind === "upgrade") {
    const answer = await tremplin.cancelUpgradeContainer({ containerName }, options);
    accept(answer, UpgradeCancelled.CANCELLED, UpgradeCancelled.NOT_RUNNING);
    return answer.status === UpgradeCancelled.CANCELLED;
  }
  return (await guestService.cancelOperation({ containerName }, options)).cancelled;
}
