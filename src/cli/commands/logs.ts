import { Command } from "commander";
import { jsonLine, plainLines } from "../../base/text.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, wholeNumber, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly boot?: boolean;
  readonly lines: number;
}

export function logsCommand(io: Io): Command {
  const command = new Command("logs")
    .argument("<name>", "the container; it must run, except with --boot", containerName)
    .option(
      "--boot",
      "how its last start went: the engine's log, and what the system printed while it booted",
    )
    .option("--lines <number>", "the newest lines, at most 10000", wholeNumber, 200);
  return withHostFlags(command).action((name: string, flags: Flags) => logs(name, flags, io));
}

async function logs(name: string, { boot = false, lines, ...flags }: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 60_000 };
  const request = { containerName: name, boot, lines };
  const { text } = await api.call(Guest.method.readContainerLog, request, settings);
  // A container decides what is in its log.
  if (flags.json) io.out(jsonLine({ container: name, lines: text.trimEnd().split("\n") }));
  else io.out(`${plainLines(text.trimEnd())}\n`);
}
