import { Command } from "commander";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { withResult } from "../host-client/operation-result.ts";
import { runAndReport } from "../host-client/session.ts";
import type { Io } from "../io.ts";

export function renameCommand(io: Io): Command {
  const command = new Command("rename")
    .argument("<name>", "the container; it must be stopped", containerName)
    .argument("<new-name>", "its new name", containerName);
  return withHostFlags(command, "operation").action((name: string, newName: string, flags: HostFlags) => {
    const spec = withResult(`renamed from ${name}`, {
      title: `renaming ${name} to ${newName}`,
      kind: "create",
      container: newName,
      mustExist: false,
      request: async (api, settings) => {
        await api.call(Guest.method.renameContainer, { containerName: name, newName }, settings);
        return { kind: "accepted" };
      },
    });
    return runAndReport(spec, flags, io);
  });
}
