import {
  access,
  constants,
  type FileHandle,
  open,
  readdir,
  readFile,
  rename,
  unlink,
} from "node:fs/promises";
import { dirname, join } from "node:path";

const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
const CHUNK_BYTES = 256 * 1024;
/** The suffix of a file that is not complete yet. */
const UNFINISHED_SUFFIX = ".new";

/** Opens a file only as a reference, which needs no permission for it. Node has no name for this flag. */
export const O_PATH = 0o10000000;

/**
 * Whether something exists at a path, links followed; with a mode of fs.constants, whether this process may use it
 * so.
 */
export function canAccess(path: string, mode = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** The text of a file; undefined when it does not exist. Throws when it cannot be read for another reason. */
export async function textOfFile(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/**
 * The text of a file; "" when it cannot be read for any reason. For files of the kernel about processes and devices,
 * which fail in many ways once those are gone, and for texts that are optional.
 */
export async function textIfReadable(path: string, encoding: "utf8" | "latin1" = "utf8"): Promise<string> {
  return await readFile(path, encoding).catch(() => "");
}

/**
 * The bytes of a file from its beginning. Several passes can read the same file at once. A stream of Node would close
 * the file when a reader stops early.
 */
export async function* bytesOfFile(file: FileHandle): AsyncGenerator<Buffer, void, void> {
  for (let position = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * Replaces a file atomically: after a crash of the program or the machine at any instant, the path has either the old
 * content or the new one, complete. The default mode is 0600. `fresh`: the path of the new content until it is complete,
 * where a file of the default name can be somebody's.
 */
export async function replaceFile(
  path: string,
  content: string | Buffer,
  mode = 0o600,
  fresh = `${path}${UNFINISHED_SUFFIX}`,
): Promise<void> {
  {
    await using file = await open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
    await file.writeFile(content);
    await file.datasync();
  }
  await rename(fresh, path);
  await syncFolder(dirname(path));
}

/** Makes what was created, renamed and removed in a folder so far survive a crash of the machine. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

/** Removes the incomplete files that replaceFile left in a folder when it was interrupted. */
export async function removeUnfinished(folder: string): Promise<void> {
  const found = await readdir(folder, { withFileTypes: true });
  for (const { name } of found.filter((entry) => entry.isFile() && entry.name.endsWith(UNFINISHED_SUFFIX))) {
    await unlink(join(folder, name));
  }
}

/** For `catch`: undefined where there is no such file or folder. */
export function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
