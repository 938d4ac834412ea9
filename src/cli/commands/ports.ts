import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Host } from "../../contract/tremplin/v1/host_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { followEvents } from "../host-client/follow-events.ts";
import { HostApi } from "../host-client/host-api.ts";
import { type ContainerPorts, KnownPorts } from "../host-client/known-ports.ts";
import type { Io } from "../io.ts";
import { plainText, tableText } from "../text/text.ts";

interface Flags extends HostFlags {
  readonly watch?: true;
}

export function portsCommand(io: Io): Command {
  const command = new Command("ports").option("--watch", "then each change, as it happens, until Ctrl-C");
  return withHostFlags(command).action((flags: Flags) => ports(flags, io));
}

async function ports(flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const known = new KnownPorts();
  const newest = await readLog(api, known, io.interrupted);
  if (flags.json) io.out(`${JSON.stringify({ containers: known.all })}\n`);
  else if (known.all.length > 0) io.out(table(known.all));
  else io.err("nothing listens on a port in any container\n");
  if (flags.watch) await follow(api, known, newest, flags, io);
}

/** Takes in all that the host remembers. Answers the number of its newest event. */
async function readLog(api: HostApi, known: KnownPorts, signal: AbortSignal): Promise<bigint> {
  const request = { guest: api.guest, after: 0n, onlyLog: true };
  let newest = 0n;
  for await (const event of api.stream(Host.method.watch, request, { signal })) {
    if (event.notice.case === "begun") newest = event.notice.value.newest;
    else known.hear(event);
  }
  return newest;
}

async function follow(api: HostApi, known: KnownPorts, after: bigint, flags: Flags, io: Io): Promise<void> {
  const following = await followEvents(api, {
    clock: io.clock,
    signal: io.interrupted,
    after,
    onAway: (reason) => io.err(reason ? `${reason}; trying again\n` : "the host is back\n"),
  });
  try {
    for await (const event of following.events) {
      for (const change of known.hear(event))
        io.out(flags.json ? `${JSON.stringify(change)}\n` : line(change));
    }
  } catch (thrown) {
    if (!io.interrupted.aborted) throw thrown;
    throw new TremplinError("cancelled", "no longer watching");
  }
}

function table(containers: readonly ContainerPorts[]): string {
  const severalGuests = new Set(containers.map(({ guest }) => guest)).size > 1;
  const rows = containers.map(({ guest, container, ports: list }) => [
    ...(severalGuests ? [guest] : []),
    plainText(container),
    list.join(" ") || "-",
  ]);
  return tableText([[...(severalGuests ? ["GUEST"] : []), "CONTAINER", "PORTS"], ...rows]);
}

function line({ container, ports: list }: ContainerPorts): string {
  return `${plainText(container)}: ${list.join(" ") || "none"}\n`;
}
