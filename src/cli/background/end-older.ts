import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { version } from "../../daemon/version.ts";
import type { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import type { Progress } from "../progress/progress.ts";
import { isOlder } from "./is-older.ts";
import { guestAnswers } from "./launch.ts";
import type { RunFolder } from "./run-folder.ts";
import { stopProcess } from "./stop-process.ts";

/** Neither waits for anything but a call that it answers. */
const STOP_TIMEOUT_MS = 60_000;

/**
 * Ends the daemon and the host of this run folder if the daemon is of an earlier version than this program, so that they
 * can be started again; both are upgraded together. The engine and the containers go on. While an operation is under way
 * nothing is ended. Returns what to say about it.
 */
export async function endOlder(
  api: HostApi,
  run: RunFolder,
  progress: Progress,
  io: Io,
): Promise<string | undefined> {
  if (!(await guestAnswers(api))) return undefined;
  const status = await api.call(Guest.method.getStatus, {}, { signal: io.interrupted });
  if (!isOlder(status.version, version)) return undefined;
  const older = `version ${status.version} of the daemon is older than this program (${version})`;
  if (status.operations.length > 0) return `${older}; run tremplin up again once its operations have ended`;
  // The package restarts its services, and they run its program, not this one.
  if (run.daemon.isService)
    return `${older}; systemctl restart tremplin-host tremplin starts the installed one`;
  if (!(await run.daemon.findRunning())) return `${older}; restart it, since tremplin up did not start it`;
  await stopProcess(run.daemon, "SIGTERM", STOP_TIMEOUT_MS, progress, io);
  if (await run.host.findRunning()) await stopProcess(run.host, "SIGTERM", STOP_TIMEOUT_MS, progress, io);
  return `${older}: both the daemon and the host start again, the containers keep running`;
}
