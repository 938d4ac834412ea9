import { toJson } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  Guest,
} from "../../contract/tremplin/v1/guest_pb.js";
import { type GuestInfo, Host } from "../../contract/tremplin/v1/host_pb.js";
import { parseAddress } from "../../transport/address.ts";
import { engineText } from "../engine-text.ts";
import { HostApi } from "../host-api.ts";
import { type HostFlags, tlsOf, withHostFlags } from "../host-flags.ts";
import type { Io } from "../io.ts";
import { durationText, plainText } from "../text.ts";

/** A guest, and what its daemon says or why it says nothing. */
interface Finding {
  readonly guest: GuestInfo;
  readonly status?: GetStatusResponse;
  readonly problem?: string;
}

export function statusCommand(io: Io): Command {
  return withHostFlags(new Command("status")).action((flags: HostFlags) => status(flags, io));
}

async function status(flags: HostFlags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const { guests } = await api.call(Host.method.listGuests, {}, { signal: io.interrupted, timeout: 15_000 });
  const wanted = guests.filter(({ name }) => !flags.guest || name === flags.guest);
  if (wanted.length === 0) throw new TremplinError("not-found", `there is no guest ${flags.guest}`);
  const findings = await Promise.all(wanted.map((guest) => find(guest, flags, io)));
  if (flags.json) io.out(`${JSON.stringify({ host: api.address, guests: findings.map(document) })}\n`);
  else
    io.out(
      `host      answers at ${api.address}\n${findings.map((each) => text(each, io.clock.now())).join("")}`,
    );
  const away = findings.filter(({ guest }) => !guest.reachable).map(({ guest }) => guest.name);
  if (away.length > 0) throw new TremplinError("unavailable", `not reachable: ${away.join(", ")}`);
}

async function find(guest: GuestInfo, flags: HostFlags, io: Io): Promise<Finding> {
  if (!guest.reachable) return { guest, problem: guest.failureReason };
  using api = new HostApi(parseAddress(flags.host), guest.name, tlsOf(flags));
  try {
    const settings = { signal: io.interrupted, timeout: 10_000 };
    return { guest, status: await api.call(Guest.method.getStatus, {}, settings) };
  } catch (thrown) {
    return { guest, problem: TremplinError.from(thrown).message };
  }
}

function document({ guest, status, problem }: Finding): object {
  const { name, address, reachable } = guest;
  const said = status
    ? { status: toJson(GetStatusResponseSchema, status, { alwaysEmitImplicit: true }) }
    : {};
  return { name, address, reachable, ...said, ...(problem ? { problem } : {}) };
}

function text({ guest, status, problem }: Finding, now: number): string {
  const title = `guest     ${guest.name} at ${guest.address}`;
  if (!status) return `${title}: ${plainText(problem ?? "")}\n`;
  const since = status.startedAt ? `, up for ${durationText(now - timestampMs(status.startedAt))}` : "";
  const lines = [
    title,
    `daemon    version ${status.version}, site ${status.site}${since}`,
    `engine    ${engineText(status.engine)}`,
    ...status.operations.map(({ kind, containerName, startedAt }) => {
      const age = startedAt ? `, for ${durationText(now - timestampMs(startedAt))}` : "";
      return `under way ${kind}${containerName ? ` of ${containerName}` : ""}${age}`;
    }),
    ...(status.undeliveredNotices > 0
      ? [`notices   ${status.undeliveredNotices} not taken by the host yet`]
      : []),
  ];
  return lines.map((line) => `${plainText(line)}\n`).join("");
}
