import { Command } from "commander";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { cancelOperation, withResult } from "../host-client/operation-result.ts";
import { runAndReport } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly snapshots?: true;
}

export function copyCommand(io: Io): Command {
  const command = new Command("copy")
    .argument("<name>", "the container to copy, running or not", containerName)
    .argument("<new-name>", "the name of the copy, which is stopped", containerName)
    .option("--snapshots", "copy its snapshots too");
  return withHostFlags(command, "operation").action((sourceName: string, newName: string, flags: Flags) => {
    const spec = withResult(`copied from ${sourceName}`, {
      title: `copying ${sourceName} to ${newName}`,
      kind: "create",
      container: newName,
      mustExist: false,
      request: async (api, settings) => {
        const request = { containerName: newName, sourceName, snapshots: flags.snapshots ?? false };
        await api.call(Guest.method.copyContainer, request, settings);
        return { kind: "accepted" };
      },
      cancel: cancelOperation(newName),
    });
    return runAndReport(spec, flags, io);
  });
}
