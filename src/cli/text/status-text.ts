import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { durationText } from "../../base/text.ts";
import type { GetStatusResponse } from "../../contract/tremplin/v1/guest_pb.js";
import { engineText } from "./engine-text.ts";

/** What a daemon reports of itself, in lines. `now`: milliseconds since 1970. */
export function statusLines(status: GetStatusResponse, now: number): string[] {
  const uptime = status.startedAt ? `, up for ${ageText(status.startedAt, now)}` : "";
  return [
    `daemon    version ${status.version}, site ${status.site}${uptime}`,
    `engine    ${engineText(status.engine)}`,
    ...operationLines(status, now),
    ...noticeLines(status, now),
    ...status.setAsideRecords.map(({ path, reason }) => {
      const effect = isOfOperation(path) ? "; the operation was neither finished nor undone" : "";
      return `set aside ${path}: ${reason}${effect}`;
    }),
  ];
}

/** Whether a file that was set aside is an operation's entry of the journal. */
export function isOfOperation(path: string): boolean {
  return /\/journal\/[^/]+$/.test(path);
}

function operationLines({ operations }: GetStatusResponse, now: number): string[] {
  return operations.map(({ kind, containerName, startedAt, waitsForRecovery, obstacle }) => {
    const why = obstacle ? ` (${obstacle})` : "";
    const what = nameOf(kind, containerName);
    if (waitsForRecovery) {
      return `waiting   ${what}, begun ${ageText(startedAt, now)} ago: recovered once the engine runs${why}`;
    }
    return `operation ${what}${startedAt ? `, for ${ageText(startedAt, now)}` : ""}${why}`;
  });
}

/** The notices that the host has not acknowledged: it is unreachable, or rejected them. */
function noticeLines(status: GetStatusResponse, now: number): string[] {
  const { undeliveredNotices: count, oldestNotice: oldest, hostAwaySince, hostAwayReason } = status;
  const lines = [];
  if (hostAwaySince) {
    lines.push(`delivery  host unreachable for ${ageText(hostAwaySince, now)}: ${hostAwayReason}`);
  }
  if (count > 0) {
    const which = oldest
      ? `; the oldest, ${nameOf(oldest.rpc, oldest.containerName)}, for ${ageText(oldest.since, now)}`
      : "";
    lines.push(`notices   ${count} not delivered${which}`);
  }
  return [
    ...lines,
    ...status.refusedNotices.map(
      ({ rpc, containerName, since, reason }) =>
        `rejected  ${nameOf(rpc, containerName)}, ${ageText(since, now)} ago: ${reason}; kept for a day, sent again when the daemon starts`,
    ),
  ];
}

/** A notice or an operation by its name and its container, which may be empty. */
export function nameOf(name: string, containerName: string): string {
  return `${name}${containerName ? ` of ${containerName}` : ""}`;
}

function ageText(since: Timestamp | undefined, now: number): string {
  return since ? durationText(now - timestampMs(since)) : "an unknown time";
}
