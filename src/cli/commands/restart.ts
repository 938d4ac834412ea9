import { Command } from "commander";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { withResult } from "../host-client/operation-result.ts";
import { runAndReport } from "../host-client/session.ts";
import type { Io } from "../io.ts";

export function restartCommand(io: Io): Command {
  const command = new Command("restart").argument(
    "<name>",
    "the container; it is killed if it does not shut down in time",
    containerName,
  );
  return withHostFlags(command, "operation").action(async (container: string, flags: HostFlags) => {
    const spec = withResult("restarted", {
      title: `restarting ${container}`,
      kind: "start",
      container,
      request: async (api, settings) => {
        await api.call(Guest.method.restartContainer, { containerName: container }, settings);
        return { kind: "accepted" };
      },
    });
    await runAndReport(spec, flags, io);
  });
}
