import { Command, Option } from "commander";
import { StartContainerRequest_PrivilegeLevel as Privilege, Tremplin } from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import type { Reply } from "../host-client/run-operation.ts";
import { runAndReport } from "../host-client/session.ts";
import { startReply } from "../host-client/start-reply.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly privileged?: true;
  readonly unprivileged?: true;
  readonly microphone: boolean;
}

export function startCommand(io: Io): Command {
  const command = new Command("start")
    .argument("<name>", "the container", containerName)
    .addOption(
      new Option("--privileged", "run without a user namespace, from the next start on").conflicts(
        "unprivileged",
      ),
    )
    .option("--unprivileged", "run in a user namespace, from the next start on")
    .option("--no-microphone", "do not expose the microphone to the container");
  return withHostFlags(command, "operation").action((container: string, flags: Flags) => {
    const title = `starting ${container}`;
    const request = (api: HostApi, settings: CallSettings) => requestStart(api, container, flags, settings);
    return runAndReport({ title, kind: "start", container, request }, flags, io);
  });
}

async function requestStart(
  api: HostApi,
  containerName: string,
  flags: Flags,
  settings: CallSettings,
): Promise<Reply> {
  const request = {
    containerName,
    privilegeLevel: privilegeOf(flags),
    disableAudioCapture: !flags.microphone,
  };
  const response = await api.call(Tremplin.method.startContainer, request, settings);
  return startReply(response, alreadyText(flags));
}

/** The guest stores the privilege level of a running container for its next start. */
function alreadyText({ privileged, unprivileged }: Flags): string {
  if (!privileged && !unprivileged) return "already running";
  const level = privileged ? "privileged" : "unprivileged";
  return `already running; it will be ${level} after it is stopped and started again`;
}

function privilegeOf({ privileged, unprivileged }: Flags): Privilege {
  if (privileged) return Privilege.PRIVILEGED;
  return unprivileged ? Privilege.UNPRIVILEGED : Privilege.UNCHANGED;
}
