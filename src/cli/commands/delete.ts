import { Command } from "commander";
import { DeleteContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { checkContainerExists } from "../host-client/check-exists.ts";
import { type CallSettings, HostApi } from "../host-client/host-api.ts";
import type { Reply } from "../host-client/run-operation.ts";
import { runAndReport } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { confirm } from "./confirm.ts";
import { deleteSnapshot } from "./delete-snapshot.ts";

interface Flags extends HostFlags {
  readonly yes?: true;
}

export function deleteCommand(io: Io): Command {
  const command = new Command("delete")
    .argument(
      "<name>",
      "the container, which is stopped first if it runs; or NAME/SNAPSHOT: one of its snapshots",
      (text) => (text.includes("/") ? text : containerName(text)),
    )
    .option("--yes", "do not ask for confirmation");
  return withHostFlags(command, "operation").action(async (container: string, flags: Flags) => {
    if (container.includes("/")) return await deleteSnapshot(container, flags, io);
    const question = `Delete ${container} with all its data?`;
    if (!flags.yes) await checkExists(container, flags, io);
    if (!flags.yes) await confirm(container, { verb: "delete", participle: "deleted", question }, io);
    const title = `deleting ${container}`;
    const request = (api: HostApi, settings: CallSettings) => requestDelete(api, container, settings);
    await runAndReport({ title, kind: "delete", container, request }, flags, io);
  });
}

async function checkExists(container: string, flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  await checkContainerExists(api, container, io.interrupted);
}

async function requestDelete(api: HostApi, containerName: string, settings: CallSettings): Promise<Reply> {
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
