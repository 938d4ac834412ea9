import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  Guest,
} from "../../contract/tremplin/v1/guest_pb.js";
import { type GuestInfo, Host } from "../../contract/tremplin/v1/host_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { statusLines } from "../text/status-text.ts";

/** A guest with the status of its daemon, or why there is none. */
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
  if (flags.json) io.out(jsonLine({ host: api.address, guests: findings.map(document) }));
  else
    io.out(
      `host      answers at ${api.address}\n${findings.map((each) => text(each, io.clock.now())).join("")}`,
    );
  const unreachable = findings.filter(({ guest }) => !guest.reachable).map(({ guest }) => guest.name);
  if (unreachable.length > 0)
    throw new TremplinError("unavailable", `not reachable: ${unreachable.join(", ")}`);
}

async function find(guest: GuestInfo, flags: HostFlags, io: Io): Promise<Finding> {
  if (!guest.reachable) return { guest, problem: guest.failureReason };
  using api = HostApi.open({ ...flags, guest: guest.name });
  try {
    const settings = { signal: io.interrupted, timeout: 10_000 };
    return { guest, status: await api.call(Guest.method.getStatus, {}, settings) };
  } catch (thrown) {
    return { guest, problem: TremplinError.from(thrown).message };
  }
}

function document({ guest, status, problem }: Finding): object {
  const { name, address, reachable } = guest;
  return {
    name,
    address,
    reachable,
    ...(status && { status: toJson(GetStatusResponseSchema, status, { alwaysEmitImplicit: true }) }),
    ...(problem && { problem }),
  };
}

function text({ guest, status, problem }: Finding, now: number): string {
  const title = `guest     ${guest.name} at ${guest.address}`;
  if (!status) return `${title}: ${plainText(problem ?? "")}\n`;
  return [title, ...statusLines(status, now)].map((line) => `${plainText(line)}\n`).join("");
}
