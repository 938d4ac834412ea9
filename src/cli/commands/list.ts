import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { jsonLine, plainText, tableText } from "../../base/text.ts";
import { Guest, ListContainersResponseSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

export function listCommand(io: Io): Command {
  return withHostFlags(new Command("list")).action((flags: HostFlags) => list(flags, io));
}

async function list(flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const answer = await api.call(Guest.method.listContainers, {}, { signal: io.interrupted, timeout: 30_000 });
  if (flags.json) {
    io.out(jsonLine(toJson(ListContainersResponseSchema, answer, { alwaysEmitImplicit: true })));
    return;
  }
  if (answer.containers.length === 0) {
    io.err("there is no container; tremplin create NAME --debian bookworm makes one\n");
    return;
  }
  const rows = answer.containers.map(({ name, state, ipv4Address, image, operation, privileged }) => [
    plainText(name),
    `${state}${privileged ? ", privileged" : ""}${operation ? ` (${operation})` : ""}`,
    ipv4Address || "-",
    plainText(image) || "-",
  ]);
  io.out(tableText([["NAME", "STATE", "IPV4", "IMAGE"], ...rows]));
}
