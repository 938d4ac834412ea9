import { constants, type FileHandle, open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { holdAlone } from "../../base/hold-alone.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { fingerprint } from "../backups/packed-file.ts";
import { resolveShared } from "./shared-file.ts";

/** A file in the shared folder that is about to be written. Disposing closes it. */
export interface SharedTarget extends AsyncDisposable {
  readonly file: FileHandle;
  /** What it is called while it is written. */
  readonly name: string;
  /** Gives it its final name, where that depends on what was written, so that it is there after a crash too. */
  finish(): Promise<void>;
  /** Takes back what was written: a file that was named stays, empty; one that we named goes. */
  undo(): Promise<void>;
}

/**
 * Opens a file to write to, which is made when missing and keeps its content for now. It must lie under the shared
 * folder, also after all symbolic links in its path; itself it may be none. A folder gets a file called
 * FINGERPRINT.tar.gz in it (behaviour.md 12 item 58), until then called after `id`.
 */
export async function openSharedTarget(shared: string, path: string, id: string): Promise<SharedTarget> {
  await using stack = new AsyncDisposableStack();
  const { folder, given } = await openFolder(shared, path);
  stack.use(folder);
  const name = given ?? `.tremplin-export-${id}`;
  const at = (file: string): string => `/proc/self/fd/${folder.fd}/${file}`;
  const where = join(await readlink(`/proc/self/fd/${folder.fd}`), name);
  stack.use(await holdAlone(`export ${where}`, `another export is being written to ${path}`));
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Readable by all: who may see the shared folder may see what was put there for it (behaviour.md 5.10).
  const flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  const file = stack.use(await open(at(name), flags, 0o644).catch((error) => refuse(path, error)));
  if (!(await file.stat()).isFile()) throw new TremplinError("invalid", `${path} is not a regular file`);
  const held = stack.move();
  return {
    file,
    name,
    async finish() {
      if (given === undefined) await rename(at(name), at(`${await fingerprint(at(name))}.tar.gz`));
      await folder.sync();
    },
    async undo() {
      await file.truncate();
      if (given === undefined) await rm(at(name), { force: true });
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Checks without making anything. Throws `invalid`, saying why nothing could be written there. */
export async function checkSharedTarget(shared: string, path: string): Promise<void> {
  const { folder } = await openFolder(shared, path);
  await folder.close();
}

/** The folder that a path leads to, and the name in it that the path gives, if any. */
async function openFolder(
  shared: string,
  path: string,
): Promise<{ folder: FileHandle; given: string | undefined }> {
  const target = resolveShared(shared, path);
  const isFolder = await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const given = isFolder ? undefined : basename(target);
  if (given === "" || given === "." || given === "..") {
    throw new TremplinError("invalid", `${path} names no file and no folder that is there`);
  }
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  const folder = await open(isFolder ? target : dirname(target), flags).catch((error) => refuse(path, error));
  try {
    const [where, root] = await Promise.all([readlink(`/proc/self/fd/${folder.fd}`), realpath(shared)]);
    if (where !== root && !where.startsWith(`${root}/`)) {
      throw new TremplinError("invalid", `${path} does not lie under the shared folder ${shared}`);
    }
    return { folder, given };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function refuse(path: string, error: NodeJS.ErrnoException): never {
  const why = error.code === "ELOOP" ? "it is a symbolic link" : error.message;
  throw new TremplinError("invalid", `cannot write to ${path}: ${why}`, error);
}
