import { posix } from "node:path";
import type { FileSession, NodeOwner } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";

/** Puts a file at a path of a container, at once in the place of a file or link that is there. */
export async function replaceFile(
  files: FileSession,
  path: string,
  content: Uint8Array,
  owner: NodeOwner,
): Promise<void> {
  await replace(files, path, (fresh) => files.create(fresh, content, owner));
}

/** Puts a link at a path of a container, in the same way. */
export async function replaceLink(files: FileSession, path: string, target: string): Promise<void> {
  await replace(files, path, (fresh) => files.symlink(fresh, target));
}

/**
 * The plain file that a path of a container leads to, links followed, so that replacing it leaves the links; the path
 * itself where it leads to none.
 */
export async function behindLinks(files: FileSession, path: string): Promise<string> {
  if ((await files.stat(path).catch(ifMissing))?.type !== "file") return path;
  let at = path;
  for (let count = 0; count < MOST_LINKS && (await files.lstat(at)).type === "symlink"; count++) {
    const target = await files.readlink(at);
    // Not normalised: what .. means behind a link only the container knows.
    at = posix.isAbsolute(target) ? target : `${posix.dirname(at)}/${target}`;
  }
  return at;
}

/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

/** The name under which the new one is made. */
export function beside(path: string): string {
  return `${path}.tremplin`;
}

async function replace(
  files: FileSession,
  path: string,
  make: (fresh: string) => Promise<void>,
): Promise<void> {
  const fresh = beside(path);
  await files.remove(fresh).catch(ifMissing);
  try {
    await make(fresh);
    await files.rename(fresh, path);
  } catch (error) {
    await files.remove(fresh).catch(() => undefined);
    throw error;
  }
}
