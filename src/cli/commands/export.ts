import { Command } from "commander";
import { ExportContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import { type Answer, runOperation } from "../host-client/operation.ts";
import { reportResult, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly detach?: true;
}

export function exportCommand(io: Io): Command {
  const command = new Command("export")
    .argument("<name>", "the container; it may go on running")
    .argument(
      "[file]",
      "in the shared folder of the guest; .tar.zst for zstd (default: NAME-DATE-TIME.tar.gz)",
    )
    .option("--detach", "do not wait for the end");
  return withHostFlags(command).action((container: string, file: string | undefined, flags: Flags) => {
    const path = file ?? `${container}-${timestamp(new Date(io.clock.now()))}.tar.gz`;
    return exportTo(container, path, flags, io);
  });
}

async function exportTo(container: string, path: string, flags: Flags, io: Io): Promise<void> {
  const title = `exporting ${container}`;
  const outcome = await withSession(title, flags, io, async (session) => {
    const ask = (api: HostApi, settings: CallSettings) => askToExport(api, container, path, settings);
    const detach = flags.detach === true;
    const work = { title, kind: "export", container, ask, cancel: cancel(container), detach } as const;
    const result = await runOperation(session, work);
    return flags.detach ? result : { ...result, words: `${result.words}, to ${path} in the shared folder` };
  });
  reportResult(container, outcome, flags, io);
}

async function askToExport(
  api: HostApi,
  containerName: string,
  exportPath: string,
  settings: CallSettings,
): Promise<Answer> {
  const request = { containerName, exportPath };
  const { status, failureReason } = await api.call(Tremplin.method.exportContainer, request, settings);
  if (status === Status.EXPORTING) return { kind: "accepted" };
  return { kind: "refused", reason: failureReason };
}

function cancel(inProgressContainerName: string) {
  return async (api: HostApi, settings: CallSettings): Promise<void> => {
    await api.call(Tremplin.method.cancelExportContainer, { inProgressContainerName }, settings);
  };
}

/** 20261126-2049 and so on, in the time of this machine. */
function timestamp(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}
