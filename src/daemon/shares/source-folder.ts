import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { abortable } from "../../base/async/abortable.ts";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { O_PATH } from "../../base/files/files.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** A network file system whose server is away would block for ever. */
const TIME_LIMIT_MS = 5_000;
/** The kernel's own file systems, and sockets and locks of the machine's services. */
const SYSTEM_FOLDERS = ["/proc", "/sys", "/dev", "/run"];

/**
 * The folder that a person names, with its links resolved. Throws `invalid` for what is no folder, and for one through
 * which a container could take over the machine; `own` are folders of this program and of engines.
 */
export async function resolveSource(wanted: string, own: readonly string[]): Promise<string> {
  if (!isAbsolute(wanted) || /[\0\n]/.test(wanted)) {
    throw new TremplinError(
      "invalid",
      `${JSON.stringify(wanted.slice(0, 200))} is no absolute path of a folder`,
    );
  }
  const source = await inTime(wanted, realpath(wanted)).catch((error) => {
    throw refused("invalid", wanted, error);
  });
  if (!(await inTime(source, stat(source))).isDirectory()) {
    throw new TremplinError("invalid", `${wanted} is not a folder; share the folder that it is in`);
  }
  await checkIsPersons(source, own);
  return source;
}

/** A share whose folder is there now. */
export interface OpenFolder extends AsyncDisposable {
  readonly fd: number;
  readonly uid: number;
  readonly gid: number;
  /** Differs between two folders that had the same path. */
  readonly identity: string;
}

/** Opens a folder by its resolved path. Throws `failed` if it is gone, or a link is on its path now. */
export async function openSource(source: string): Promise<OpenFolder> {
  const flags = constants.O_DIRECTORY | constants.O_NOFOLLOW | O_PATH;
  const handle = await inTime(source, open(source, flags)).catch((error) => {
    throw refused("failed", source, error);
  });
  try {
    if ((await readlink(`/proc/self/fd/${handle.fd}`)) !== source) {
      throw new TremplinError("failed", `the path ${source} leads to another place than when it was shared`);
    }
    const { uid, gid, dev, ino } = await handle.stat();
    return {
      fd: handle.fd,
      uid,
      gid,
      identity: `${dev}:${ino}`,
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await closeQuietly(handle);
    throw error;
  }
}

/** What is at a path, as `identity` of OpenFolder; undefined for nothing. Follows no link. */
export async function identityAt(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}

async function checkIsPersons(source: string, own: readonly string[]): Promise<void> {
  const refuse = (why: string): never => {
    throw new TremplinError("invalid", `${source} cannot be shared: ${why}`);
  };
  if (source === "/") refuse("it is the whole machine");
  const system = SYSTEM_FOLDERS.find((folder) => isWithin(folder, source));
  if (system) refuse(`what is in ${system} is the machine's own`);
  for (const folder of own) {
    const actual = await realpath(folder).catch(() => folder);
    if (isWithin(actual, source)) refuse(`it is in ${folder}, which has the containers and their secrets`);
    if (isWithin(source, actual)) refuse(`${folder} is in it, which has the containers and their secrets`);
  }
}

function isWithin(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === "" || (rest !== ".." && !rest.startsWith("../"));
}

function refused(code: "invalid" | "failed", source: string, error: unknown): TremplinError {
  if (error instanceof TremplinError) return error;
  return new TremplinError(code, `${source} on the machine of the daemon: ${systemErrorText(error)}`, error);
}

async function inTime<T>(path: string, work: Promise<T>): Promise<T> {
  const late = () => new TremplinError("failed", `${path} does not answer; is the server away that has it?`);
  using limit = new TimeLimit(TIME_LIMIT_MS, late, []);
  return await abortable(work, limit.signal);
}

async function closeQuietly(handle: FileHandle): Promise<void> {
  await handle.close().catch(() => undefined);
}

/** The name that a share has in a container unless a person names another. */
export function defaultPath(source: string): string {
  return join("/mnt", source.slice(source.lastIndexOf("/") + 1));
}
