import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, lstat, open, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ignoreMissing, O_PATH } from "../../../base/files/files.ts";
import { syncIfSupported } from "../../../base/files/sync.ts";
import { systemErrorText } from "../../../base/system-error.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { resolveShared } from "../shared-file.ts";

/**
 * A folder in the shared folder. It stays open, so that every name is looked up in this very folder, whatever happens to
 * the path that led to it.
 */
export class OpenFolder implements AsyncDisposable {
  readonly handle: FileHandle;
  /** Without symbolic links. */
  readonly path: string;

  private constructor(folder: FileHandle, path: string) {
    this.handle = folder;
    this.path = path;
  }

  /** Throws `invalid` for a folder that is not under the shared folder after all symbolic links are resolved. */
  static async open(shared: string, path: string): Promise<OpenFolder> {
    const folder = await open(path, O_PATH | constants.O_DIRECTORY);
    try {
      const [actual, root] = await Promise.all([readlink(`/proc/self/fd/${folder.fd}`), realpath(shared)]);
      if (actual === root || actual.startsWith(`${root}/`)) return new OpenFolder(folder, actual);
      throw new TremplinError("invalid", `${path} does not lie under the shared folder ${shared}`);
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  /** The path of a name in this folder, valid in this process only. */
  at(name: string): string {
    return `/proc/self/fd/${this.handle.fd}/${name}`;
  }

  /** The file of that name, without following links; undefined where there is none. */
  async find(name: string): Promise<BigIntStats | undefined> {
    return await lstat(this.at(name), { bigint: true }).catch(ignoreMissing);
  }

  /** Makes renames and new files in it durable, where its file system can do that. */
  async sync(): Promise<void> {
    await using folder = await open(this.at("."), constants.O_RDONLY | constants.O_DIRECTORY);
    await syncIfSupported(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }
}

/** The target of a request: a name in a folder, or an existing folder. */
export interface RequestedTarget {
  readonly folder: OpenFolder;
  /** Undefined where the path is that of the folder. */
  readonly name: string | undefined;
}

export async function openRequestedTarget(shared: string, path: string): Promise<RequestedTarget> {
  const target = resolveShared(shared, path);
  const isFolder = await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const name = isFolder ? undefined : basename(target);
  if (name === "" || name === "." || name === "..") {
    throw new TremplinError("invalid", `${path} names no file and no folder that is there`);
  }
  const parent = isFolder ? target : dirname(target);
  const folder = await OpenFolder.open(shared, parent).catch((error) => {
    if (error.code !== "ENOENT") cannotWrite(path, error);
    throw new TremplinError(
      "invalid",
      `cannot write to ${path}: there is no folder ${parent}; make it`,
      error,
    );
  });
  return { folder, name };
}

/** Throws `failed` when the path leads to another folder by now: the backup would not be where it was requested. */
export async function assertSameFolder(
  { folder, name }: RequestedTarget,
  shared: string,
  path: string,
): Promise<void> {
  const target = resolveShared(shared, path);
  const own = await folder.handle.stat({ bigint: true });
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
