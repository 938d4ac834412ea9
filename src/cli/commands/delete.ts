import { Command } from "commander";
import { DeleteContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import { confirm } from "../confirm.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import type { Answer } from "../host-client/operation.ts";
import { runWork } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly yes?: true;
}

export function deleteCommand(io: Io): Command {
  const command = new Command("delete")
    .argument("<name>", "the container; it is stopped first if it runs")
    .option("--yes", "do not ask");
  return withHostFlags(command).action(async (container: string, flags: Flags) => {
    const question = `Delete ${container} and all that is in it?`;
    if (!flags.yes) await confirm(container, { verb: "delete", participle: "deleted", question }, io);
    const title = `deleting ${container}`;
    const ask = (api: HostApi, settings: CallSettings) => askToDelete(api, container, settings);
    await runWork({ title, kind: "delete", container, ask }, flags, io);
  });
}

async function askToDelete(api: HostApi, containerName: string, settings: CallSettings): Promise<Answer> {
  const { status, failureReason } = await api.call(
    Tremplin.method.deleteContainer,
    { containerName },
    settings,
  );
  switch (status) {
    case Status.DELETING:
      return { kind: "accepted" };
    case Status.DOES_NOT_EXIST:
      return { kind: "missing" };
    default:
      return { kind: "refused", reason: failureReason };
  }
}
