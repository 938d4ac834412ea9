import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { Tremplin } from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { hostZone, ruleOfZone } from "../host-client/host-zone.ts";
import type { Io } from "../io.ts";
import { plainText } from "../text/text.ts";

export function timezoneCommand(io: Io): Command {
  const command = new Command("timezone")
    .argument("[zone]", 'for example "Europe/Berlin"; the one of this machine, if none is said')
    .argument("[names...]", "the containers; all, if none is said");
  return withHostFlags(command).action((zone: string | undefined, names: string[], flags: HostFlags) =>
    timezone(zone ?? hostZone(), names, flags, io),
  );
}

async function timezone(zone: string, names: readonly string[], flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 60_000 };
  const containerNames = names.length > 0 ? [...names] : await allContainers(api, settings.signal);
  const request = { timezoneName: zone, posixTzString: await ruleOfZone(zone), containerNames };
  const { successes, failureReasons } = await api.call(Tremplin.method.setTimezone, request, settings);
  if (flags.json) io.out(`${JSON.stringify({ zone, successes, failureReasons })}\n`);
  else io.out(`${zone}: set in ${successes} of ${new Set(containerNames).size} containers\n`);
  if (failureReasons.length > 0) {
    throw new TremplinError("failed", failureReasons.map(plainText).join("; "));
  }
}

async function allContainers(api: HostApi, signal: AbortSignal): Promise<string[]> {
  const { containers } = await api.call(Guest.method.listContainers, {}, { signal, timeout: 30_000 });
  return containers.map(({ name }) => name);
}
