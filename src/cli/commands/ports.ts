import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Host } from "../../contract/tremplin/v1/host_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { followEvents } from "../host-client/follow-events.ts";
import { HostApi } from "../host-client/host-api.ts";
import { type ContainerPorts, PortTable } from "../host-client/port-table.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly watch?: true;
}

export function portsCommand(io: Io): Command {
  const command = new Command("ports").option(
    "--watch",
    "print each change too, until Ctrl-C; with --json one line for each",
  );
  return withHostFlags(command).action((flags: Flags) => ports(flags, io));
}

async function ports(flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const table = new PortTable();
  const newest = await readLog(api, table, io.interrupted);
  if (flags.json) io.out(jsonLine({ containers: table.all }));
  else if (table.all.length > 0) io.out(tableOf(table.all, io.columns));
  else io.err("no container listens on a port\n");
  if (flags.watch) await follow(api, table, newest, flags, io);
}

/** Applies the events that the host keeps. Returns the number of the newest one. */
async function readLog(api: HostApi, table: PortTable, signal: AbortSignal): Promise<bigint> {
  const request = { guest: api.guest, after: 0n, onlyLog: true };
  let newest = 0n;
  for await (const event of api.stream(Host.method.watch, request, { signal })) {
    if (event.notice.case === "begun") newest = event.notice.value.newest;
    else table.update(event);
  }
  return newest;
}

async function follow(api: HostApi, table: PortTable, after: bigint, flags: Flags, io: Io): Promise<void> {
  const following = await followEvents(api, {
    clock: io.clock,
    signal: io.interrupted,
    after,
    onOutage: (reason) => io.err(reason ? `${reason}; reconnecting\n` : "the host is back\n"),
  });
  try {
    for await (const event of following.events) {
      for (const change of table.update(event)) io.out(flags.json ? jsonLine(change) : line(change));
    }
  } catch (thrown) {
    if (!io.interrupted.aborted) throw thrown;
    throw new TremplinError("cancelled", "stopped watching");
  }
}

function tableOf(containers: readonly ContainerPorts[], columns: number | undefined): string {
  const severalGuests = new Set(containers.map(({ guest }) => guest)).size > 1;
  const rows = containers.map(({ guest, container, ports: list }) => [
    ...(severalGuests ? [guest] : []),
    plainText(container),
    list.join(" ") || "-",
  ]);
  return tableText([[...(severalGuests ? ["GUEST"] : []), "CONTAINER", "PORTS"], ...rows], columns);
}

function line({ container, ports: list }: ContainerPorts): string {
  return `${plainText(container)}: ${list.join(" ") || "none"}\n`;
}
