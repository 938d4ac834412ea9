import { readFileSync, readlinkSync } from "node:fs";
import { TremplinError } from "../base/tremplin-error.ts";

/** See sd_listen_fds(3). */
const FIRST_FD = 3;

/**
 * The Unix sockets on which systemd listens for this program, by path (sd_listen_fds(3)): callers wait there while the
 * program restarts. Empty without any. Takes them out of the environment, which programs that this one starts get. Throws
 * `failed` for a descriptor that is no Unix socket with a path.
 */
export function takeInheritedSockets(
  environment: NodeJS.ProcessEnv = process.env,
): ReadonlyMap<string, number> {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = environment;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete environment[name];
  if (Number(pid) !== process.pid || !/^\d{1,4}$/.test(count ?? "")) return new Map();
  const paths = pathsByInode(readFileSync("/proc/net/unix", "utf8"));
  const fds = Array.from({ length: Number(count) }, (_, index) => FIRST_FD + index);
  return new Map(fds.map((fd) => [pathOf(fd, paths), fd]));
}

function pathOf(fd: number, paths: ReadonlyMap<string, string>): string {
  const [, inode = ""] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [];
  const path = paths.get(inode);
  if (path !== undefined) return path;
  throw new TremplinError(
    "failed",
    `systemd passed descriptor ${fd}, which is no Unix socket with a path: change ListenStream= in the socket unit`,
  );
}

/** The paths of the Unix sockets that listen, by inode, from the kernel's list. */
export function pathsByInode(list: string): ReadonlyMap<string, string> {
  const listening = /^\S+ \S+ \S+ 00010000 0001 01 +(\d+) (\/.*)$/gm;
  return new Map([...list.matchAll(listening)].map(([, inode = "", path = ""]) => [inode, path]));
}
