import { Command } from "commander";
import { StopContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import type { Reply } from "../host-client/run-operation.ts";
import { runAndReport } from "../host-client/session.ts";
import type { Io } from "../io.ts";

export function stopCommand(io: Io): Command {
  const command = new Command("stop").argument(
    "<name>",
    "the container; it is killed if it does not shut down in time",
    containerName,
  );
  return withHostFlags(command, "operation").action((container: string, flags: HostFlags) => {
    const title = `stopping ${container}`;
    const request = (api: HostApi, settings: CallSettings) => requestStop(api, container, settings);
    return runAndReport({ title, kind: "stop", container, request }, flags, io);
  });
}

async function requestStop(api: HostApi, containerName: string, settings: CallSettings): Promise<Reply> {
  const { status, failureReason } = await api.call(
    Tremplin.method.stopContainer,
    { containerName },
    settings,
  );
  switch (status) {
    case Status.STOPPING:
      return { kind: "accepted" };
    case Status.STOPPED:
      return { kind: "already", text: "already stopped" };
    case Status.DOES_NOT_EXIST:
      return { kind: "missing" };
    default:
      return { kind: "refused", reason: failureReason };
  }
}
