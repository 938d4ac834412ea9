import { Command } from "commander";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import {
  CancelExportContainerResponse_Status as Cancelled,
  ExportContainerResponse_Status as Status,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { cancelOperation } from "../host-client/cancel-operation.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import { type Outcome, type Reply, runOperation } from "../host-client/run-operation.ts";
import { reportResult, type Session, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { fetchBackup, removeTransfer } from "../transfer/backup-transfer.ts";
import { TargetFile, targetExists, targetPath } from "../transfer/target-file.ts";
import { confirm } from "./confirm.ts";

interface Flags extends HostFlags {
  readonly shared?: true;
  readonly detach?: true;
  readonly cancel?: true;
  readonly yes?: true;
}

export function exportCommand(io: Io): Command {
  const command = new Command("export")
    .argument("<name>", "the container, running or stopped", containerName)
    .argument(
      "[file]",
      "the file or folder to write to; compressed with zstd if it ends with .zst, else with gzip (default: NAME-DATE-TIME.tar.gz in this folder)",
    )
    .option(
      "--shared",
      "write the file to the guest's shared folder; one of that name there is replaced without asking",
    )
    .option("--detach", "return as soon as the export to the guest's shared folder has begun")
    .option("--yes", "do not ask before replacing a file of this computer")
    .option("--cancel", "cancel a running export");
  return withHostFlags(command, "operation").action(
    async (container: string, file: string | undefined, flags: Flags) => {
      if (flags.cancel) return await cancelExport(container, flags, io);
      const name = `${container}-${timestamp(new Date(io.clock.now()))}.tar.gz`;
      if (flags.shared || flags.detach) return await exportToShared(container, file ?? name, flags, io);
      return await exportToOwn(container, await targetPath(file, name), flags, io);
    },
  );
}

/** Packs to a file of the guest, and brings that here. */
async function exportToOwn(container: string, path: string, flags: Flags, io: Io): Promise<void> {
  const replace = await targetExists(path);
  if (replace && !flags.yes) {
    const question = `Replace ${path}?`;
    await confirm(container, { verb: `replace ${path} by`, participle: "exported", question }, io);
  }
  const outcome = await withSession(`exporting ${container}`, flags, io, async (session) => {
    await using target = await TargetFile.open(path);
    const { api } = session;
    const settings = { signal: io.interrupted, timeout: 30_000 };
    const transfer = await api.call(Guest.method.createTransfer, { fileName: path }, settings);
    try {
      const result = await pack(container, transfer.path, flags, session);
      await fetchBackup(transfer.path, target, session);
      await target.publish(replace);
      return { ...result, text: withPlace(result, path) };
    } finally {
      await removeTransfer(api, transfer.path);
    }
  });
  reportResult(container, outcome, flags, io);
}

async function exportToShared(container: string, path: string, flags: Flags, io: Io): Promise<void> {
  const outcome = await withSession(`exporting ${container}`, flags, io, async (session) => {
    const result = await pack(container, path, flags, session);
    if (flags.detach) return result;
    const { sharedFolder } = await session.api
      .call(Guest.method.getStatus, {}, { timeout: 10_000 })
      .catch(() => ({ sharedFolder: "" }));
    const full = path.startsWith("/") || !sharedFolder ? path : `${sharedFolder}/${path}`;
    return { ...result, text: withPlace(result, `${full} in the shared folder of the guest`) };
  });
  reportResult(container, outcome, flags, io);
}

async function pack(container: string, path: string, flags: Flags, session: Session): Promise<Outcome> {
  const request = (api: HostApi, settings: CallSettings) => requestExport(api, container, path, settings);
  const firstStep = "taking a snapshot and counting its files";
  const title = `exporting ${container}`;
  const about = {
    title,
    kind: "export",
    cancelledBy: "export",
    container,
    firstStep,
    detach: flags.detach === true,
  } as const;
  return await runOperation(session, { ...about, request, cancel: cancel(container) });
}

/** The result with the place of the backup, before what the guest adds to it. */
function withPlace({ text, remark }: Outcome, place: string): string {
  const addition = remark ? `: ${remark}` : "";
  return `${text.slice(0, text.length - addition.length)}, to ${place}${addition}`;
}

async function requestExport(
  api: HostApi,
  name: string,
  exportPath: string,
  settings: CallSettings,
): Promise<Reply> {
  const request = { containerName: name, exportPath };
  const { status, failureReason } = await api.call(Tremplin.method.exportContainer, request, settings);
  if (status === Status.EXPORTING) return { kind: "accepted" };
  return { kind: "refused", reason: failureReason };
}

function cancel(inProgressContainerName: string) {
  return async (api: HostApi, settings: CallSettings): Promise<Cancelled> =>
    (await api.call(Tremplin.method.cancelExportContainer, { inProgressContainerName }, settings)).status;
}

async function cancelExport(container: string, flags: Flags, io: Io): Promise<void> {
  await cancelOperation("export", container, flags, io, async (api, settings) => {
    return (await cancel(container)(api, settings)) === Cancelled.CANCEL_QUEUED;
  });
}

/** Local time, as in 20261126-204930. */
function timestamp(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}
