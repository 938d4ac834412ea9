import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

export function getCommand(io: Io): Command {
  const command = new Command("get")
    .argument("<name>", "the container", containerName)
    .argument("[setting]", "cpu, memory, disk or autostart (default: all of them)");
  return withHostFlags(command).action((name: string, setting: string | undefined, flags: HostFlags) =>
    get(name, setting, flags, io),
  );
}

async function get(name: string, setting: string | undefined, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const callSettings = { signal: io.interrupted, timeout: 30_000 };
  const request = { containerName: name };
  const { settings } = await api.call(Guest.method.getContainerSettings, request, callSettings);
  const all = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  const wanted = all.filter(([key]) => setting === undefined || key === setting);
  if (wanted.length === 0) {
    const known = all.map(([key]) => key).join(", ");
    throw new TremplinError("invalid", `there is no setting "${setting}": there are ${known}`);
  }
  if (flags.json) io.out(jsonLine({ container: name, settings: Object.fromEntries(wanted) }));
  else if (setting !== undefined) io.out(`${plainText(wanted[0]?.[1] ?? "")}\n`);
  else
    io.out(
      tableText(
        wanted.map(([key, value]) => [plainText(key), plainText(value)]),
        io.columns,
      ),
    );
}
