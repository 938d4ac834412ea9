import { randomBytes } from "node:crypto";
import {
  constants,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { syncFolder } from "../../base/files/files.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** The full path that a person means by FILE: in a folder, and by default in the current one, the file is `name`. */
export async function targetPath(file: string | undefined, name: string): Promise<string> {
  if (file === "") throw new TremplinError("invalid", "the name of the file is empty");
  const path = resolve(file ?? ".");
  const isFolder = file?.endsWith("/") || (await stat(path).catch(() => undefined))?.isDirectory();
  return isFolder ? join(path, name) : path;
}

/** Whether something has that name. Throws `invalid` for anything but a file, which could not be replaced by one. */
export async function targetExists(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found && !found.isFile()) {
    throw new TremplinError("invalid", `${path} is not a regular file; choose another name`);
  }
  return found !== undefined;
}

/** A file of the caller that is being written. It gets its name when it is complete; until then nothing has that name. */
export class TargetFile implements AsyncDisposable {
  readonly path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  /** The first of the folders that were missing. */
  readonly #made: string | undefined;
  #isPublished = false;

  private constructor(path: string, temporary: string, file: FileHandle, made: string | undefined) {
    this.path = path;
    this.#temporary = temporary;
    this.#file = file;
    this.#made = made;
  }

  /** Makes the folder if it is missing. Only the caller can read the file. */
  static async open(path: string): Promise<TargetFile> {
    const folder = dirname(path);
    try {
      const made = await mkdir(folder, { recursive: true });
      const temporary = join(folder, `.tremplin-${randomBytes(8).toString("hex")}.unfinished`);
      const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      return new TargetFile(path, temporary, file, made);
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes).catch((error) => {
      throw cannotWrite(this.path, error);
    });
  }

  /** Gives the complete file its name. Without `replace` another file that has got the name meanwhile stays. */
  async publish(replace: boolean): Promise<void> {
    try {
      await this.#file.datasync();
      if (replace) await rename(this.#temporary, this.path);
      else await publishNew(this.#temporary, this.path);
      await syncFolder(dirname(this.path));
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
    this.#isPublished = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    if (this.#isPublished) return;
    await rm(this.#temporary, { force: true });
    if (this.#made) await removeEmpty(dirname(this.path), this.#made);
  }
}

async function publishNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // The file system has no links.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code) || (await targetExists(path)))
      throw error;
    await rename(temporary, path);
    return;
  }
  await rm(temporary);
}

/** Removes the folders from the first one that was made to the last, as long as nothing is in them. */
async function removeEmpty(last: string, first: string): Promise<void> {
  for (let at = last; at.startsWith(first); at = dirname(at)) {
    if (
      !(await rmdir(at).then(
        () => true,
        () => false,
      ))
    )
      return;
  }
}

function cannotWrite(path: string, error: unknown): TremplinError {
  if (error instanceof TremplinError) return error;
  const sentence = `cannot write ${basename(path)} in ${dirname(path)}: ${systemErrorText(error)}`;
  return new TremplinError("failed", sentence, error);
}
