import { resolve } from "node:path";
import { Command } from "commander";
import { plainText } from "../../base/text.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { callerIds } from "../host-client/caller-ids.ts";
import { HostApi } from "../host-client/host-api.ts";
import { reportResult } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly readOnly?: true;
}

export function shareCommand(io: Io): Command {
  const command = new Command("share")
    .argument("<name>", "the container, running or not", containerName)
    .argument("<folder>", "a folder of the machine on which the daemon runs")
    .argument("[path]", "where the container sees it (default: /mnt/FOLDER)")
    .option("--read-only", "the container cannot change what is in it");
  return withHostFlags(command).action(
    (name: string, folder: string, path: string | undefined, flags: Flags) =>
      share(name, folder, path ?? "", flags, io),
  );
}

async function share(container: string, folder: string, path: string, flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const { caller, isSameMachine } = callerIds(flags);
  const request = {
    containerName: container,
    source: isSameMachine ? resolve(folder) : folder,
    path,
    readOnly: flags.readOnly ?? false,
    ...(caller && { caller }),
  };
  const callSettings = { signal: io.interrupted, timeout: 60_000 };
  const { share: made, notes } = await api.call(Guest.method.createShare, request, callSettings);
  const how = made?.readOnly ? ", to be read only" : "";
  const text = `${plainText(made?.source ?? "")} is at ${plainText(made?.path ?? "")}${how}`;
  reportResult(container, { text }, flags, io);
  for (const note of notes) io.err(`${plainText(note)}\n`);
}
