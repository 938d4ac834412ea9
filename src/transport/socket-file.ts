import { chmod, chown, lstat, mkdir, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { TremplinError } from "../base/tremplin-error.ts";

/**
 * Binds a server to a socket file that only its owner can open: mode 0600, in a folder that is created with mode 0700
 * if it is missing. With the id of a `group` its members can open it too: mode 0660, in a folder that is created with
 * mode 0750. Replaces the file of a dead server. Throws `busy` for a living one, `exists` for a file that is
 * no socket.
 */
export async function listenOnSocketFile(server: Server, path: string, group?: number): Promise<void> {
  const created = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await removeStale(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  // Others must not be able to open the file, not even between bind and chmod.
  const umask = process.umask(0o177);
  try {
    server.listen({ path }, resolve);
  } finally {
    process.umask(umask);
  }
  await promise;
  server.off("error", reject);
  await chmod(path, 0o600);
  if (group !== undefined) await openToGroup(path, group, created !== undefined);
}

/** Serves a socket that listens already: who may connect was decided by whoever made it. */
export async function listenOnInherited(server: Server, fd: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ fd }, resolve);
  await promise;
  server.off("error", reject);
}

async function openToGroup(path: string, group: number, isNewFolder: boolean): Promise<void> {
  await chown(path, -1, group);
  await chmod(path, 0o660);
  if (isNewFolder) await openFolderToGroup(dirname(path), group);
}

/** Lets the members of a group reach the sockets in a folder of this user, but not change what is in it. */
export async function openFolderToGroup(path: string, group: number): Promise<void> {
  await chown(path, -1, group);
  await chmod(path, 0o750);
}

async function removeStale(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (!stat) return;
  if (!stat.isSocket()) {
    throw new TremplinError("exists", `cannot listen on unix:${path}: a file that is not a socket is there`);
  }
  if (await isServed(path)) {
    throw new TremplinError("busy", `cannot listen on unix:${path}: another program listens there already`);
  }
  await unlink(path);
}

function isServed(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect({ path });
  probe.once("connect", () => resolve(true));
  probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  return promise.finally(() => probe.destroy());
}
