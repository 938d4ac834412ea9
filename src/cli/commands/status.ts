import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type GetStatusResponse,
  GetStatusResponseSchema,
  Guest,
} from "../../contract/tremplin/v1/guest_pb.js";
import { type GuestInfo, Host } from "../../contract/tremplin/v1/host_pb.js";
import { parseAddress } from "../../transport/address.ts";
import { type HostFlags, tlsOf, withHostFlags } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { engineText } from "../text/engine-text.ts";
import { durationText, plainText } from "../text/text.ts";

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
    ...operationLines(status, now),
    ...noticeLines(status, now),
    ...status.setAsideRecords.map(
      ({ path, reason }) => `set aside ${path}: ${reason}; what it was about is as it was left`,
    ),
  ];
  return lines.map((line) => `${plainText(line)}\n`).join("");
}

function operationLines({ operations }: GetStatusResponse, now: number): string[] {
  return operations.map(({ kind, containerName, startedAt, waitsForRecovery, obstacle }) => {
    const why = obstacle ? ` (${obstacle})` : "";
    const what = `${kind}${containerName ? ` of ${containerName}` : ""}`;
    if (waitsForRecovery) {
      return `unfinished ${what}, begun ${age(startedAt, now)} ago: recovered once the engine runs${why}`;
    }
    return `under way ${what}${startedAt ? `, for ${age(startedAt, now)}` : ""}${why}`;
  });
}

/** What the host has not taken: because nobody has answered yet, or because it refused. */
function noticeLines(status: GetStatusResponse, now: number): string[] {
  const { undeliveredNotices: count, oldestNotice: oldest, hostAwaySince, hostAwayReason } = status;
  const waiting = `notices   ${count} not taken by the host yet`;
  return [
    ...(hostAwaySince ? [`host      away for ${age(hostAwaySince, now)}: ${hostAwayReason}`] : []),
    ...(count === 0
      ? []
      : [
          `${waiting}${oldest ? `; the oldest is ${noticeName(oldest)}, for ${age(oldest.since, now)}` : ""}`,
        ]),
    ...status.refusedNotices.map(
      (refused) =>
        `refused   ${noticeName(refused)}, ${age(refused.since, now)} ago: ${refused.reason}; kept for a day, sent again when the daemon starts`,
    ),
  ];
}

function noticeName({
  rpc,
  containerName,
}: {
  readonly rpc: string;
  readonly containerName: string;
}): string {
  return `${rpc}${containerName ? ` of ${containerName}` : ""}`;
}

function age(since: Timestamp | undefined, now: number): string {
  return since ? durationText(now - timestampMs(since)) : "an unknown time";
}
