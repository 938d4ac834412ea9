import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  CancelImportContainerResponse_Status as Cancelled,
  GetContainerInfoResponse_Status as Info,
  ImportContainerResponse_Status as Status,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { cancelOperation } from "../host-client/cancel-operation.ts";
import { type CallSettings, HostApi } from "../host-client/host-api.ts";
import { type OperationSpec, type Reply, runOperation } from "../host-client/run-operation.ts";
import { reportResult, runAndReport, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { openBackup, removeTransfer, sendBackup } from "../transfer/backup-transfer.ts";
import { confirm } from "./confirm.ts";

interface Flags extends HostFlags {
  readonly yes?: true;
  readonly shared?: true;
  readonly detach?: true;
  readonly cancel?: true;
}

export function importCommand(io: Io): Command {
  const command = new Command("import")
    .argument("<name>", "the container; an existing one is replaced, with its snapshots", containerName)
    .argument("[file]", "the backup")
    .option("--shared", "the backup is in the guest's shared folder")
    .option("--yes", "do not ask before replacing a container")
    .option("--detach", "return as soon as the import from the guest's shared folder has begun")
    .option("--cancel", "cancel a running import");
  return withHostFlags(command, "operation").action(
    async (container: string, file: string | undefined, flags: Flags) => {
      if (flags.cancel) return await cancelImport(container, flags, io);
      if (!file) throw new TremplinError("invalid", "which backup? tremplin import NAME FILE");
      if (flags.shared || flags.detach) return await importShared(container, file, flags, io);
      return await importOwn(container, file, flags, io);
    },
  );
}

async function importShared(container: string, file: string, flags: Flags, io: Io): Promise<void> {
  if (!flags.yes) await confirmReplacing(container, flags, io);
  await runAndReport(specOf(container, file, flags), flags, io);
}

/** Sends the file to the guest first. */
async function importOwn(container: string, file: string, flags: Flags, io: Io): Promise<void> {
  await using backup = await openBackup(file);
  if (!flags.yes) await confirmReplacing(container, flags, io);
  const outcome = await withSession(`importing ${container}`, flags, io, async (session) => {
    const path = await sendBackup(backup, file, session);
    try {
      return await runOperation(session, specOf(container, path, flags));
    } finally {
      await removeTransfer(session.api, path);
    }
  });
  reportResult(container, outcome, flags, io);
}

function specOf(container: string, path: string, { detach }: Flags): OperationSpec {
  const request = (api: HostApi, settings: CallSettings) => requestImport(api, container, path, settings);
  const about = { title: `importing ${container}`, kind: "import", container, mustExist: false } as const;
  return { ...about, request, cancel: cancel(container), cancelledBy: "import", detach: detach === true };
}

async function confirmReplacing(container: string, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const request = { containerName: container };
  const { status } = await api.call(Tremplin.method.getContainerInfo, request, { signal: io.interrupted });
  if (status !== Info.RUNNING && status !== Info.STOPPED) return;
  const question = `Replace ${container}, with all its data and snapshots, by the backup?`;
  await confirm(container, { verb: "replace", participle: "replaced", question }, io);
}

async function requestImport(
  api: HostApi,
  containerName: string,
  importPath: string,
  settings: CallSettings,
): Promise<Reply> {
  const request = { containerName, importPath };
  const { status, failureReason } = await api.call(Tremplin.method.importContainer, request, settings);
  if (status === Status.IMPORTING) return { kind: "accepted" };
  return { kind: "refused", reason: failureReason };
}

function cancel(inProgressContainerName: string) {
  return async (api: HostApi, settings: CallSettings): Promise<Cancelled> =>
    (await api.call(Tremplin.method.cancelImportContainer, { inProgressContainerName }, settings)).status;
}

async function cancelImport(container: string, flags: Flags, io: Io): Promise<void> {
  await cancelOperation("import", container, flags, io, async (api, settings) => {
    return (await cancel(container)(api, settings)) === Cancelled.CANCEL_QUEUED;
  });
}
