import { Command } from "commander";
import { ExportContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import { type Outcome, type Reply, runOperation } from "../host-client/run-operation.ts";
import { reportResult, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly detach?: true;
}

export function exportCommand(io: Io): Command {
  const command = new Command("export")
    .argument("<name>", "the container, running or stopped", containerName)
    .argument(
      "[file]",
      "the file in the guest's shared folder; compressed with zstd if it ends with .zst, else with gzip (default: NAME-DATE-TIME.tar.gz)",
    )
    .option("--detach", "return as soon as the export has begun");
  return withHostFlags(command, "operation").action(
    (container: string, file: string | undefined, flags: Flags) => {
      const path = file ?? `${container}-${timestamp(new Date(io.clock.now()))}.tar.gz`;
      return exportTo(container, path, flags, io);
    },
  );
}

async function exportTo(container: string, path: string, flags: Flags, io: Io): Promise<void> {
  const title = `exporting ${container}`;
  const outcome = await withSession(title, flags, io, async (session) => {
    const request = (api: HostApi, settings: CallSettings) => requestExport(api, container, path, settings);
    const detach = flags.detach === true;
    const firstStep = "taking a snapshot and counting its files";
    const about = { title, kind: "export", container, firstStep, detach } as const;
    const spec = { ...about, request, cancel: cancel(container) };
    const result = await runOperation(session, spec);
    return flags.detach ? result : { ...result, text: withPlace(result, path) };
  });
  reportResult(container, outcome, flags, io);
}

/** The result with the place of the backup, before what the guest adds to it. */
function withPlace({ text, remark }: Outcome, path: string): string {
  const addition = remark ? `: ${remark}` : "";
  return `${text.slice(0, text.length - addition.length)}, to ${path} in the shared folder${addition}`;
}

async function requestExport(
  api: HostApi,
  containerName: string,
  exportPath: string,
  settings: CallSettings,
): Promise<Reply> {
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

/** Local time, as in 20261126-204930. */
function timestamp(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}
