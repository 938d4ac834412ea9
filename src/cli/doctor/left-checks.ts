import type { GetStatusResponse } from "../../contract/tremplin/v1/guest_pb.js";
import { bad, type Finding, note } from "./finding.ts";

/** What a daemon could not bring to its end: notices that the host does not take, records that were set aside. */
export function leftChecks(status: GetStatusResponse): Finding[] {
  const {
    hostAwaySince,
    hostAwayReason,
    undeliveredNotices: count,
    refusedNotices,
    setAsideRecords,
  } = status;
  const away = `${count} notices wait, and the last try came to: ${hostAwayReason}`;
  return [
    ...(hostAwaySince ? [bad("notices", away, "see whether the daemon's --host names this host")] : []),
    ...refusedNotices.map(({ rpc, containerName, reason }) =>
      note(
        "refused notice",
        `${rpc}${containerName ? ` of ${containerName}` : ""}: ${reason}`,
        "when the host can take it, start the daemon again within a day: sudo tremplin down; sudo tremplin up",
      ),
    ),
    ...setAsideRecords.map(({ path, reason }) =>
      note("set aside", `${path}: ${reason}`, "see whether what it was about is whole, then delete the file"),
    ),
  ];
}
