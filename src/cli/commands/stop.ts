import { Command } from "commander";
import { StopContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import type { Answer } from "../host-client/operation.ts";
import { runWork } from "../host-client/session.ts";
import type { Io } from "../io.ts";

export function stopCommand(io: Io): Command {
  const command = new Command("stop").argument("<name>", "the container");
  return withHostFlags(command).action((container: string, flags: HostFlags) => {
    const title = `stopping ${container}`;
    const ask = (api: HostApi, settings: CallSettings) => askToStop(api, container, settings);
    return runWork({ title, kind: "stop", container, ask }, flags, io);
  });
}

async function askToStop(api: HostApi, containerName: string, settings: CallSettings): Promise<Answer> {
  const { status, failureReason } = await api.call(
    Tremplin.method.stopContainer,
    { containerName },
    settings,
  );
  switch (status) {
    case Status.STOPPING:
      return { kind: "accepted" };
    case Status.STOPPED:
      return { kind: "already", words: "is stopped already" };
    case Status.DOES_NOT_EXIST:
      return { kind: "missing" };
    default:
      return { kind: "refused", reason: failureReason };
  }
}
