import { Command } from "commander";
import { textIfReadable } from "../../base/files/files.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { Tremplin } from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

export function timezoneCommand(io: Io): Command {
  const command = new Command("timezone")
    .argument("[zone]", 'for example "Europe/Berlin" (default: the time zone of this computer)')
    .argument("[names...]", "the containers (default: all)");
  return withHostFlags(command).action((zone: string | undefined, names: string[], flags: HostFlags) =>
    timezone(zone ?? localZone(), names, flags, io),
  );
}

async function timezone(zone: string, names: readonly string[], flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 60_000 };
  const containerNames = names.length > 0 ? [...names] : await allContainers(api, settings.signal);
  const request = { timezoneName: zone, posixTzString: await ruleOfZone(zone), containerNames };
  const { successes, failureReasons } = await api.call(Tremplin.method.setTimezone, request, settings);
  if (flags.json) io.out(jsonLine({ zone, successes, failureReasons }));
  else io.out(`${zone}: set in ${successes} of ${new Set(containerNames).size} containers\n`);
  if (failureReasons.length > 0) {
    throw new TremplinError("failed", failureReasons.map(plainText).join("; "));
  }
}

async function allContainers(api: HostApi, signal: AbortSignal): Promise<string[]> {
  const { containers } = await api.call(Guest.method.listContainers, {}, { signal, timeout: 30_000 });
  return containers.map(({ name }) => name);
}

/** The name of this computer's time zone. */
export function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * The POSIX rule of a zone, for containers that do not know its name: the last line of the zone's file on this computer
 * (RFC 8536, 3.3). Empty if there is no such zone here.
 */
export async function ruleOfZone(zone: string, folder = "/usr/share/zoneinfo"): Promise<string> {
  if (!/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(zone)) return "";
  const file = await textIfReadable(`${folder}/${zone}`, "latin1");
  if (!file.startsWith("TZif")) return "";
  return /\n([^\n]*)\n$/.exec(file)?.[1] ?? "";
}
