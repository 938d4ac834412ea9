import { loadNative } from "../base/native/load-native.ts";
import { TremplinError } from "../base/tremplin-error.ts";

/** See sd_listen_fds(3). */
const FIRST_FD = 3;

/**
 * The Unix sockets on which systemd listens for this program, by path (sd_listen_fds(3)): callers wait there while the
 * program restarts. Empty without any. Takes them out of the environment, which programs that this one starts get. Throws
 * `failed` for a descriptor that is no Unix socket with a path.
 */
export async function takeInheritedSockets(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ReadonlyMap<string, number>> {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = environment;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
  if (Number(pid) !== process.pid || !/^\d{1,4}$/.test(count ?? "")) return new Map();
  const { listeningUnixPath } = await loadNative(() => import("../base/native/socket-path.ts"));
  const sockets = new Map<string, number>();
  for (let fd = FIRST_FD; fd < FIRST_FD + Number(count); fd++) {
    const path = listeningUnixPath(fd);
    if (path === undefined) throw noUnixSocket(fd);
    sockets.set(path, fd);
  }
  return sockets;
}

function noUnixSocket(fd: number): TremplinError {
  return new TremplinError(
    "failed",
    `systemd passed descriptor ${fd}, which is no Unix socket with a path: change ListenStream= in the socket unit`,
  );
}
