import type { Stats } from "node:fs";
import { lstat, mkdir, readlink, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { TremplinError } from "../tremplin-error.ts";

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const OTHERS_PASS = 0o001;
/** In such a folder only the owner of an entry can rename or remove it. */
const STICKY = 0o1000;
/** As the kernel, see path_resolution(7). */
const MAX_LINKS = 40;

interface Visited {
  readonly path: string;
  readonly stats: Stats;
}

/**
 * Creates a folder if it is missing and checks that only this user and root can change what is in it: it, and every
 * folder and link on the way to it, belongs to them, and nobody else can write there. Programs that keep locks, pid
 * files, sockets and state in it would otherwise follow links that somebody planted. Throws `invalid` with what is wrong.
 */
export async function makeOwnFolder(path: string, mode: 0o700 | 0o711 = 0o700): Promise<void> {
  const full = resolve(path);
  const before = await visit(full);
  if (before === undefined) {
    // Containers may have to pass through the parents.
    await mkdir(dirname(full), { recursive: true, mode: 0o711 });
    await mkdir(full, { recursive: true, mode });
  }
  const [last] = before ?? (await visit(full)) ?? [];
  if (!last?.stats.isDirectory()) throw new TremplinError("invalid", `${path} is not a folder`);
  if (last.stats.mode & (GROUP_WRITES | OTHERS_WRITE)) {
    throw new TremplinError(
      "invalid",
      `other users can write to ${path}; run chmod go-w ${path}, or give another folder`,
    );
  }
}

/**
 * The folder on the way to a path, it included, that does not let other users pass through; undefined when all do. The
 * root user of a container is such a user. Folders that do not exist yet do not count.
 */
export async function closedFolder(path: string): Promise<string | undefined> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found && (found.mode & OTHERS_PASS) === 0) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** The entries that lead to a path, the last one first; undefined when it does not exist. Throws when one is not safe. */
async function visit(path: string): Promise<Visited[] | undefined> {
  const visited: Visited[] = [];
  let rest = path.split("/").filter((name) => name !== "");
  let at = "/";
  for (let links = 0; ; ) {
    const stats = await statsOf(at);
    if (stats === undefined) return undefined;
    visited.unshift({ path: at, stats });
    if (stats.isSymbolicLink()) {
      assertOwner(at, stats, rest.length === 0);
      if (++links > MAX_LINKS) throw new TremplinError("invalid", `${path} has too many symbolic links`);
      const target = resolve(dirname(at), await readlink(at));
      rest = [...target.split("/").filter((name) => name !== ""), ...rest];
      at = "/";
      continue;
    }
    assertOwner(at, stats, rest.length === 0);
    const name = rest.shift();
    if (name === undefined) return visited;
    assertNotShared(at, stats);
    at = join(at, name);
  }
}

async function statsOf(path: string): Promise<Stats | undefined> {
  return await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    if (error.code === "ENOTDIR")
      throw new TremplinError("invalid", `${dirname(path)} is not a folder`, error);
    throw error;
  });
}

function assertOwner(path: string, { uid }: Stats, isLast: boolean): void {
  if (trustedUsers().has(uid)) return;
  const what = isLast ? "what is kept there" : "the folders in it";
  throw new TremplinError(
    "invalid",
    `${path} belongs to another user (${uid}), who could replace ${what}; give a folder of your own`,
  );
}

function assertNotShared(path: string, { mode, uid, gid }: Stats): void {
  if (mode & STICKY) return;
  // Many distributions give each user a group of the same number, and let it write.
  const groupWrites = mode & GROUP_WRITES && gid !== 0 && gid !== uid;
  if (!groupWrites && !(mode & OTHERS_WRITE)) return;
  throw new TremplinError(
    "invalid",
    `other users can write to ${path}, and could replace the folders in it; run chmod go-w ${path}, or give another folder`,
  );
}

/** Root, this user, and the user who became root by sudo, who needs no trick for it. */
function trustedUsers(): Set<number> {
  const me = process.geteuid?.() ?? 0;
  const sudo = me === 0 ? Number(process.env.SUDO_UID ?? 0) : 0;
  return new Set([0, me, sudo]);
}
