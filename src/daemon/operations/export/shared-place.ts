import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, lstat, open, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { systemErrorText } from "../../../base/system-error.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { resolveShared } from "../shared-file.ts";

/** Opens only to have it: needs no permission for it, and does nothing to it. Node has no name for this flag. */
export const O_PATH = 0o10000000;

/**
 * A folder in the shared folder. It is held open, so that every name is looked up in this very folder, whatever happens
 * to the path that led to it.
 */
export class SharedPlace implements AsyncDisposable {
  readonly folder: FileHandle;
  /** Without symbolic links. */
  readonly path: string;

  private constructor(folder: FileHandle, path: string) {
    this.folder = folder;
    this.path = path;
  }

  /** Throws `invalid` where it does not lie under the shared folder, after all symbolic links. */
  static async open(shared: string, path: string): Promise<SharedPlace> {
    const folder = await open(path, O_PATH | constants.O_DIRECTORY);
    try {
      const [where, root] = await Promise.all([readlink(`/proc/self/fd/${folder.fd}`), realpath(shared)]);
      if (where === root || where.startsWith(`${root}/`)) return new SharedPlace(folder, where);
      throw new TremplinError("invalid", `${path} does not lie under the shared folder ${shared}`);
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  /** The path of a name in this folder, for system calls of this process. */
  at(name: string): string {
    return `/proc/self/fd/${this.folder.fd}/${name}`;
  }

  /** What has a name in this folder, itself when it is a link; undefined for nothing. */
  async find(name: string): Promise<BigIntStats | undefined> {
    return await lstat(this.at(name), { bigint: true }).catch(ignoreMissing);
  }

  /** What was renamed or made in it is there after a crash too. */
  async sync(): Promise<void> {
    await using folder = await open(this.at("."), constants.O_RDONLY | constants.O_DIRECTORY);
    await folder.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder.close();
  }
}

/** Where a path of a request leads: to a name in a folder, or to a folder that is there. */
export interface RequestedPlace {
  readonly place: SharedPlace;
  /** Undefined where the path is the folder's own. */
  readonly name: string | undefined;
}

export async function openRequestedPlace(shared: string, path: string): Promise<RequestedPlace> {
  const target = resolveShared(shared, path);
  const isFolder = await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const name = isFolder ? undefined : basename(target);
  if (name === "" || name === "." || name === "..") {
    throw new TremplinError("invalid", `${path} names no file and no folder that is there`);
  }
  const folder = isFolder ? target : dirname(target);
  const place = await SharedPlace.open(shared, folder).catch((error) => {
    if (error.code !== "ENOENT") cannotWrite(path, error);
    throw new TremplinError(
      "invalid",
      `cannot write to ${path}: there is no folder ${folder}; make it`,
      error,
    );
  });
  return { place, name };
}

/** Throws `failed` when the path leads to another folder by now: a backup would not be where it was asked for. */
export async function assertLeadsHere(
  { place, name }: RequestedPlace,
  shared: string,
  path: string,
): Promise<void> {
  const target = resolveShared(shared, path);
  const own = await place.folder.stat({ bigint: true });
  const found = await stat(name === undefined ? target : dirname(target), { bigint: true }).catch(
    () => undefined,
  );
  if (found?.ino === own.ino && found.dev === own.dev) return;
  throw new TremplinError(
    "failed",
    `cannot write to ${path}: its folder was moved or replaced while the backup was written; export it again`,
  );
}

export function cannotWrite(path: string, error: NodeJS.ErrnoException): never {
  if (error instanceof TremplinError) throw error;
  throw new TremplinError("invalid", `cannot write to ${path}: ${systemErrorText(error)}`, error);
}

export function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
