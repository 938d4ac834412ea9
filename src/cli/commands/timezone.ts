import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, ListTimezonesResponseSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { Tremplin } from "../../contract/tremplin_pb.js";
import { containerName, containerNames } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { localZone, ruleOfZone } from "../text/local-zone.ts";

interface Flags extends HostFlags {
  readonly local?: true;
}

export function timezoneCommand(io: Io): Command {
  const command = new Command("timezone")
    .argument("[zone]", 'for example "Europe/Berlin"; without it, print the zones of all containers')
    .argument("[names...]", "the containers (default: all)", containerNames);
  command.option("--local", "set the time zone of this computer; all arguments are then containers");
  return withHostFlags(command).action(
    async (zone: string | undefined, names: string[] = [], flags: Flags) => {
      if (flags.local) {
        const containers = zone === undefined ? names : [containerName(zone), ...names];
        return await setZone(await localZone(), containers, flags, io);
      }
      return await (zone === undefined ? showZones(flags, io) : setZone(zone, names, flags, io));
    },
  );
}

async function showZones(flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 60_000 };
  const answer = await api.call(Guest.method.listTimezones, {}, settings);
  if (flags.json) {
    io.out(jsonLine(toJson(ListTimezonesResponseSchema, answer, { alwaysEmitImplicit: true })));
    return;
  }
  if (answer.containers.length === 0) {
    io.err("there is no container\n");
    return;
  }
  const rows = answer.containers.map(({ containerName: name, zone, failureReason }) => [
    plainText(name),
    plainText(zone) || `unknown: ${plainText(failureReason)}`,
  ]);
  io.out(tableText([["CONTAINER", "TIME ZONE"], ...rows], io.columns));
}

async function setZone(zone: string, names: readonly string[], flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const settings = { signal: io.interrupted, timeout: 60_000 };
  const containerNames = names.length > 0 ? [...names] : await allContainers(api, settings.signal);
  const request = { timezoneName: zone, posixTzString: await ruleOfZone(zone), containerNames };
  const { successes, failureReasons } = await api.call(Tremplin.method.setTimezone, request, settings);
  const wanted = new Set(containerNames).size;
  if (flags.json) io.out(jsonLine({ zone, successes, failureReasons }));
  else
    io.out(
      `${zone}: set in ${successes} of ${wanted} containers${partly(failureReasons, successes, wanted)}\n`,
    );
  const reasons = failureReasons.map(plainText);
  if (successes < wanted) throw new TremplinError(codeOf(reasons, wanted), reasons.join("; "));
  for (const reason of reasons) io.err(`${reason}\n`);
}

/** The contract has sentences alone: nothing was found where each of them says so. */
function codeOf(reasons: readonly string[], wanted: number): "failed" | "not-found" {
  const areMissing = reasons.length === wanted && reasons.every((each) => /there is no container/.test(each));
  return areMissing ? "not-found" : "failed";
}

/** The guest gives reasons also for containers in which only some programs have the zone. */
function partly({ length: reasons }: readonly string[], successes: number, wanted: number): string {
  const count = reasons - (wanted - successes);
  return count > 0 ? `, in ${count} of them only for some programs` : "";
}

async function allContainers(api: HostApi, signal: AbortSignal): Promise<string[]> {
  const { containers } = await api.call(Guest.method.listContainers, {}, { signal, timeout: 30_000 });
  return containers.map(({ name }) => name);
}
