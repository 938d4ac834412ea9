import { Command } from "commander";
import { plainText } from "../../base/text.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { reportResult } from "../host-client/session.ts";
import type { Io } from "../io.ts";

export function unshareCommand(io: Io): Command {
  const command = new Command("unshare")
    .argument("<name>", "the container, running or not", containerName)
    .argument("<place>", "the path in the container, or the folder of the machine");
  return withHostFlags(command).action((name: string, place: string, flags: HostFlags) =>
    unshare(name, place, flags, io),
  );
}

async function unshare(container: string, place: string, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const callSettings = { signal: io.interrupted, timeout: 60_000 };
  const request = { containerName: container, place };
  const { share } = await api.call(Guest.method.removeShare, request, callSettings);
  const text = `${plainText(share?.source ?? "")} is not at ${plainText(share?.path ?? "")} any more; its files stay on the machine`;
  reportResult(container, { text }, flags, io);
}
