import { Command } from "commander";
import { jsonLine, plainLines } from "../../base/text.ts";
import { Tremplin } from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

export function debugCommand(io: Io): Command {
  return withHostFlags(new Command("debug")).action((flags: HostFlags) => debug(flags, io));
}

async function debug(flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const { debugInformation: text } = await api.call(
    Tremplin.method.getDebugInfo,
    {},
    { signal: io.interrupted },
  );
  if (flags.json) io.out(jsonLine({ debugInformation: text }));
  else io.out(plainLines(text));
}
