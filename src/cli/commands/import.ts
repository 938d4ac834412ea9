import { Command } from "commander";
import {
  GetContainerInfoResponse_Status as Info,
  ImportContainerResponse_Status as Status,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { confirm } from "../confirm.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { type CallSettings, HostApi } from "../host-client/host-api.ts";
import type { Answer } from "../host-client/operation.ts";
import { runWork } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly yes?: true;
  readonly detach?: true;
}

export function importCommand(io: Io): Command {
  const command = new Command("import")
    .argument("<name>", "the container; one that is there is replaced, with its snapshots")
    .argument("<file>", "the backup, in the shared folder of the guest")
    .option("--yes", "do not ask before a container is replaced")
    .option("--detach", "do not wait for the end");
  return withHostFlags(command).action(async (container: string, file: string, flags: Flags) => {
    if (!flags.yes) await confirmReplacing(container, flags, io);
    const title = `importing ${container}`;
    const ask = (api: HostApi, settings: CallSettings) => askToImport(api, container, file, settings);
    const detach = flags.detach === true;
    const work = {
      title,
      kind: "import",
      container,
      mustExist: false,
      ask,
      cancel: cancel(container),
      detach,
    } as const;
    await runWork(work, flags, io);
  });
}

/** Asks before a container is replaced. */
async function confirmReplacing(container: string, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const request = { containerName: container };
  const { status } = await api.call(Tremplin.method.getContainerInfo, request, { signal: io.interrupted });
  if (status !== Info.RUNNING && status !== Info.STOPPED) return;
  const question = `Replace ${container}, with all that is in it and its snapshots, by the backup?`;
  await confirm(container, { verb: "replace", participle: "replaced", question }, io);
}

async function askToImport(
  api: HostApi,
  containerName: string,
  importPath: string,
  settings: CallSettings,
): Promise<Answer> {
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
