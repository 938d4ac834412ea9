import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { version } from "../../daemon/version.ts";
import type { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import type { Progress } from "../progress/progress.ts";
import { isOlder } from "./is-older.ts";
import { daemonArguments, guestAnswers, hostArguments } from "./launch.ts";
import type { RunFolder } from "./run-folder.ts";
import { stopProcess } from "./stop-process.ts";

/** Neither waits for anything but a call that it answers. */
const STOP_TIMEOUT_MS = 60_000;

/** These follow from the run folder and the machine, and programs of earlier versions may lack them. */
const DERIVED = new Set(["--rotate-log", "--socket-group"]);

type UpFlags = Parameters<typeof hostArguments>[1];

/**
 * Ends the daemon and the host of this run folder if the daemon is of an earlier version than this program, so that they
 * can be started again; both are upgraded together. The engine and the containers go on. While an operation is under way
 * nothing is ended, nor where they run with other options than `flags` give: another state folder, for example, has
 * other containers. Returns what to say about it.
 */
export async function endOlder(
  api: HostApi,
  run: RunFolder,
  flags: UpFlags,
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
  const daemon = await run.daemon.findRunning();
  if (!daemon) return `${older}; restart it, since tremplin up did not start it`;
  const host = await run.host.findRunning();
  const hasSameOptions =
    haveSameOptions(daemon.words, daemonArguments(run, flags)) &&
    (!host || haveSameOptions(host.words, hostArguments(run, flags)));
  if (!hasSameOptions) {
    const all = [daemon, ...(host ? [host] : [])].map(({ words }) => words.join(" ")).join("; ");
    return `${older} and goes on, since it runs with other options than these: run tremplin up with the options that it has, or tremplin down first and then tremplin up with those that you want. They are: ${all}`;
  }
  await stopProcess(run.daemon, "SIGTERM", STOP_TIMEOUT_MS, progress, io);
  if (host) await stopProcess(run.host, "SIGTERM", STOP_TIMEOUT_MS, progress, io);
  return `${older}: both the daemon and the host start again, the containers keep running`;
}

function haveSameOptions(one: readonly string[], other: readonly string[]): boolean {
  return optionsOf(one).join("\0") === optionsOf(other).join("\0");
}

/** Each with its value. */
function optionsOf([, ...words]: readonly string[]): string[] {
  const pairs = words.flatMap((flag, at) => (at % 2 === 0 ? [[flag, words[at + 1]] as const] : []));
  return pairs
    .filter(([flag]) => !DERIVED.has(flag))
    .map((pair) => pair.join(" "))
    .sort();
}
