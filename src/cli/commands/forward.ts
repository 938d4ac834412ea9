import { create, toJson } from "@bufbuild/protobuf";
import { Command, InvalidArgumentError } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type Forward,
  Host,
  ListForwardsResponseSchema,
  Forward_State as State,
} from "../../contract/tremplin/v1/host_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { listContainers } from "../host-client/list-containers.ts";
import type { Io } from "../io.ts";

export function forwardCommand(io: Io): Command {
  const command = new Command("forward");
  const list = new Command("list").description("the ports of containers that are open on this machine");
  const on = new Command("on")
    .description("forward a container's ports, or one port")
    .argument("<name>", "the container", containerName);
  const off = new Command("off")
    .description("do not forward a container's ports, or one port")
    .argument("<name>", "the container", containerName);
  const map = new Command("map")
    .description("open a port of a container at a fixed port of the host")
    .argument("<name>", "the container", containerName)
    .argument("<port>", "in the container", portNumber)
    .argument("<host-port>", "of the host; auto: the same number, or the next free one", hostPort);
  for (const each of [on, off]) each.argument("[port]", "one port alone (default: all)", portNumber);
  withHostFlags(list).action((flags: HostFlags) => listForwards(flags, io));
  for (const [each, enabled] of [
    [on, true],
    [off, false],
  ] as const) {
    withHostFlags(each).action((name: string, port: number | undefined, flags: HostFlags) =>
      set({ containerName: name, port: port ?? 0, enabled }, flags, io),
    );
  }
  withHostFlags(map).action((name: string, port: number, to: number, flags: HostFlags) =>
    set({ containerName: name, port, hostPort: to }, flags, io),
  );
  return command.addCommand(list, { isDefault: true }).addCommand(on).addCommand(off).addCommand(map);
}

interface Change {
  readonly containerName: string;
  readonly port: number;
  readonly enabled?: boolean;
  readonly hostPort?: number;
}

async function listForwards(flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const request = { guest: api.guest };
  const { forwards } = await api.call(Host.method.listForwards, request, { signal: io.interrupted });
  print(forwards, flags, io);
}

async function set(change: Change, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  await checkIsKnown(api, change.containerName, io.interrupted);
  const request = { guest: api.guest, ...change };
  const { forwards } = await api.call(Host.method.setForward, request, { signal: io.interrupted });
  print(forwards, flags, io);
}

/** Throws `not-found` for a container that no guest has, nor had when it was last seen. */
async function checkIsKnown(api: HostApi, name: string, signal: AbortSignal): Promise<void> {
  const guests = await listContainers(api, signal);
  if (guests.some(({ containers }) => containers.some(({ container }) => container?.name === name))) return;
  if (guests.some(({ failureReason }) => failureReason !== "")) return;
  throw new TremplinError("not-found", `there is no container ${name}; tremplin list shows all`);
}

function print(forwards: readonly Forward[], flags: HostFlags, io: Io): void {
  if (flags.json) {
    const message = create(ListForwardsResponseSchema, { forwards: [...forwards] });
    io.out(jsonLine(toJson(ListForwardsResponseSchema, message, { alwaysEmitImplicit: true })));
  } else if (forwards.length > 0) io.out(tableOf(forwards, io.columns));
  else io.err("no port of a container is forwarded\n");
}

/** The name is not that of the console: browsers send the cookies of a name to all of its ports. */
function tableOf(forwards: readonly Forward[], columns: number | undefined): string {
  const severalGuests = new Set(forwards.map(({ guest }) => guest)).size > 1;
  const guestOf = (guest: string) => (severalGuests ? [guest] : []);
  const rows = forwards.map(({ guest, containerName, port, hostPort: at, state, reason }) => [
    ...guestOf(plainText(guest)),
    plainText(containerName),
    port === 0 ? "all" : `${port}`,
    at === 0 ? "-" : `localhost:${at}`,
    state === State.OPEN ? plainText(reason) : plainText(reason || "closed"),
  ]);
  return tableText([[...guestOf("GUEST"), "CONTAINER", "PORT", "HOST", "NOTE"], ...rows], columns);
}

/** The host knows which ports are possible, and says so. */
function portNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError("it must be a port number.");
  return Number(text);
}

function hostPort(text: string): number {
  if (text === "auto") return 0;
  if (!/^\d{1,6}$/.test(text) || Number(text) === 0) {
    throw new InvalidArgumentError("it must be a port number, or auto.");
  }
  return Number(text);
}
