import { Command } from "commander";
import {
  GetContainerInfoResponse_Status as Info,
  ImportContainerResponse_Status as Status,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { type CallSettings, HostApi } from "../host-client/host-api.ts";
import type { Reply } from "../host-client/run-operation.ts";
import { runAndReport } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { confirm } from "./confirm.ts";

interface Flags extends HostFlags {
  readonly yes?: true;
  readonly detach?: true;
}

export function importCommand(io: Io): Command {
  const command = new Command("import")
    .argument("<name>", "the container; an existing one is replaced, with its snapshots", containerName)
    .argument("<file>", "the backup in the guest's shared folder")
    .option("--yes", "do not ask before replacing a container")
    .option("--detach", "return as soon as the import has begun");
  return withHostFlags(command, "operation").action(async (container: string, file: string, flags: Flags) => {
    if (!flags.yes) await confirmReplacing(container, flags, io);
    const title = `importing ${container}`;
    const request = (api: HostApi, settings: CallSettings) => requestImport(api, container, file, settings);
    const detach = flags.detach === true;
    const spec = {
      title,
      kind: "import",
      container,
      mustExist: false,
      request,
      cancel: cancel(container),
      detach,
    } as const;
    await runAndReport(spec, flags, io);
  });
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
  return async (api: HostApi, settings: CallSettings): Promise<void> => {
    await api.call(Tremplin.method.cancelImportContainer, { inProgressContainerName }, settings);
  };
}
