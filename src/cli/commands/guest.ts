import { toJson } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { durationText, jsonLine, plainText } from "../../base/text.ts";
import { type GuestInfo, GuestInfoSchema, Host } from "../../contract/tremplin/v1/host_pb.js";
import { readToken } from "../../transport/token.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

const CALL_TIMEOUT_MS = 15_000;

interface AddFlags extends HostFlags {
  readonly guestToken?: string;
  readonly listener?: string;
}

export function guestCommand(io: Io): Command {
  return new Command("guest")
    .addCommand(listCommand(io), { isDefault: true })
    .addCommand(addCommand(io))
    .addCommand(removeCommand(io));
}

function listCommand(io: Io): Command {
  const command = new Command("list").description("list the guests of the host");
  return withHostFlags(command, "document", "host").action((flags: HostFlags) => list(flags, io));
}

function addCommand(io: Io): Command {
  const command = new Command("add")
    .description("add a guest to the running host, which keeps it over its restarts")
    .argument("<name>", "the name of the guest")
    .argument("<addr>", "the address of its daemon")
    .option(
      "--guest-token <file>",
      "the token that it and the host present to each other, for a TCP address without TLS",
    )
    .option(
      "--listener <addr>",
      "an address for its notices alone, which the host opens (default: one that the host has)",
    );
  return withHostFlags(command, "document", "host").action((name: string, address: string, flags: AddFlags) =>
    add(name, address, flags, io),
  );
}

function removeCommand(io: Io): Command {
  const command = new Command("remove")
    .description("remove a guest from the host; its history stays")
    .argument("<name>", "the guest");
  return withHostFlags(command, "document", "host").action((name: string, flags: HostFlags) =>
    remove(name, flags, io),
  );
}

async function list(flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const { guests } = await api.call(Host.method.listGuests, {}, settings(io));
  if (flags.json) io.out(jsonLine({ guests: guests.map(document) }));
  else if (guests.length === 0) io.err("the host has no guest; tremplin guest add NAME ADDR adds one\n");
  else
    io.out(
      tableText(
        [["NAME", "ADDRESS", "STATE", "LAST NOTICE"], ...guests.map((each) => row(each, io))],
        io.columns,
      ),
    );
}

async function add(name: string, address: string, flags: AddFlags, io: Io): Promise<void> {
  const token = flags.guestToken === undefined ? "" : readToken(flags.guestToken);
  const request = { name, address, token, listener: flags.listener ?? "" };
  using api = HostApi.open(flags);
  const { guest } = await api.call(Host.method.addGuest, request, settings(io));
  if (flags.json) io.out(jsonLine({ guest: guest && document(guest) }));
  else io.out(`${name}: added\n`);
  if (guest && !guest.reachable) {
    io.err(`${name}: it does not answer yet: ${plainText(guest.failureReason)}\n`);
  }
}

async function remove(name: string, flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  await api.call(Host.method.removeGuest, { name }, settings(io));
  io.out(flags.json ? jsonLine({ guest: name, result: "removed" }) : `${name}: removed\n`);
}

function settings(io: Io) {
  return { signal: io.interrupted, timeout: CALL_TIMEOUT_MS };
}

function document(guest: GuestInfo): object {
  return toJson(GuestInfoSchema, guest, { alwaysEmitImplicit: true }) as object;
}

function row(
  { name, address, reachable, failureReason, lastNotice, listenerProblem }: GuestInfo,
  io: Io,
): string[] {
  const state = reachable ? "reachable" : `away: ${failureReason}`;
  const problem = listenerProblem && `; no notices: ${listenerProblem}`;
  const age = lastNotice && `${durationText(io.clock.now() - timestampMs(lastNotice))} ago`;
  return [name, address, plainText(state + problem), age ?? "-"];
}
