import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { tableText } from "../../base/table.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { ContainerSchema } from "../../contract/tremplin/v1/guest_pb.js";
import {
  type ContainerInfo,
  ContainerInfoSchema,
  type GuestContainers,
  GuestContainersSchema,
} from "../../contract/tremplin/v1/host_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { listContainers } from "../host-client/list-containers.ts";
import type { Io } from "../io.ts";

export function listCommand(io: Io): Command {
  return withHostFlags(new Command("list")).action((flags: HostFlags) => list(flags, io));
}

async function list(flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const guests = await listContainers(api, io.interrupted);
  if (flags.json) io.out(jsonLine(document(guests)));
  else print(guests, io);
  const away = guests.filter(({ failureReason }) => failureReason !== "");
  if (away.length > 0) {
    const reasons = away.map(({ failureReason }) => plainText(failureReason)).join("; ");
    throw new TremplinError(away.some(isAway) ? "unavailable" : "failed", reasons);
  }
}

function isAway({ guest }: GuestContainers): boolean {
  return guest?.reachable !== true;
}

function print(guests: readonly GuestContainers[], io: Io): void {
  const hasSeveral = guests.length > 1;
  const rows = guests.flatMap(({ guest, containers }) =>
    containers.map((each) => [...(hasSeveral ? [plainText(guest?.name ?? "")] : []), ...row(each)]),
  );
  if (rows.length > 0) {
    io.out(
      tableText([[...(hasSeveral ? ["GUEST"] : []), "NAME", "STATE", "IPV4", "IMAGE"], ...rows], io.columns),
    );
  } else if (guests.every(({ failureReason }) => failureReason === "")) {
    io.err("there is no container; tremplin launch NAME makes one\n");
  }
}

function row({ container, stale }: ContainerInfo): string[] {
  const { name = "", state = "", ipv4Address = "", image = "", operation = "", privileged } = container ?? {};
  const state_ = `${plainText(state)}${privileged ? ", privileged" : ""}`;
  const remark = stale ? " (as last known)" : operation && ` (${plainText(operation)})`;
  return [plainText(name), state_ + remark, plainText(ipv4Address) || "-", plainText(image) || "-"];
}

/** Each container as the guest describes it, with what the host adds. */
function document(guests: readonly GuestContainers[]): object {
  const options = { alwaysEmitImplicit: true };
  return {
    containers: guests.flatMap(({ guest, containers }) =>
      containers.map((info) => {
        const { container: _inner, ...added } = toJson(ContainerInfoSchema, info, options) as Record<
          string,
          unknown
        >;
        const own = info.container && (toJson(ContainerSchema, info.container, options) as object);
        const { operation: under, ...rest } = added;
        return { guest: guest?.name, ...own, ...rest, ...(under !== undefined && { underWay: under }) };
      }),
    ),
    guests: guests.map((each) => {
      const { containers: _containers, ...rest } = toJson(GuestContainersSchema, each, options) as Record<
        string,
        unknown
      >;
      return rest;
    }),
  };
}
