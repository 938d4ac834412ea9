import { Command, Option } from "commander";
import {
  StartContainerRequest_PrivilegeLevel as Privilege,
  StartContainerResponse_Status as Status,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import type { Answer } from "../host-client/operation.ts";
import { runWork } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly privileged?: true;
  readonly unprivileged?: true;
  readonly microphone: boolean;
}

export function startCommand(io: Io): Command {
  const command = new Command("start")
    .argument("<name>", "the container")
    .addOption(
      new Option("--privileged", "without a user namespace, from the next boot on").conflicts("unprivileged"),
    )
    .option("--unprivileged", "with a user namespace, from the next boot on")
    .option("--no-microphone", "programs in it cannot listen, where the place lets them");
  return withHostFlags(command).action((container: string, flags: Flags) => {
    const title = `starting ${container}`;
    const ask = (api: HostApi, settings: CallSettings) => askToStart(api, container, flags, settings);
    return runWork({ title, kind: "start", container, ask }, flags, io);
  });
}

async function askToStart(
  api: HostApi,
  containerName: string,
  flags: Flags,
  settings: CallSettings,
): Promise<Answer> {
  const request = {
    containerName,
    privilegeLevel: privilegeOf(flags),
    disableAudioCapture: !flags.microphone,
  };
  const { status, failureReason } = await api.call(Tremplin.method.startContainer, request, settings);
  switch (status) {
    case Status.STARTING:
    case Status.REMAPPING:
      return { kind: "accepted" };
    case Status.STARTED:
    case Status.RUNNING:
      return { kind: "already", words: alreadyWords(flags) };
    default:
      return { kind: "refused", reason: failureReason };
  }
}

/** The guest stores a level for the next start of what runs. */
function alreadyWords({ privileged, unprivileged }: Flags): string {
  if (!privileged && !unprivileged) return "runs already";
  return `runs already; ${privileged ? "privileged" : "unprivileged"} from its next start on: stop it, and start it again`;
}

function privilegeOf({ privileged, unprivileged }: Flags): Privilege {
  if (privileged) return Privilege.PRIVILEGED;
  return unprivileged ? Privilege.UNPRIVILEGED : Privilege.UNCHANGED;
}
