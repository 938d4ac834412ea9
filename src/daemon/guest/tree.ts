import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";

/** How much may still be copied or removed: whoever made the tree may have made it endless. */
export interface Allowance {
  files: number;
  bytes: number;
}

/**
 * Copies what is in a directory of a container into another one: modes are kept, links stay links, special files
 * are skipped, and all but the links belongs to the owner. Throws `failed` where the allowance ends.
 */
export async function copyTree(
  files: FileSession,
  from: string,
  to: string,
  owner: { readonly uid: number; readonly gid: number },
  allowance: Allowance,
): Promise<void> {
  for (const { name, type, mode } of await entriesOf(files, from, allowance)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (type === "directory") {
      await files.mkdir(target, { ...owner, mode });
      await copyTree(files, source, target, owner, allowance);
    } else if (type === "symlink") {
      await files.symlink(target, await files.readlink(source));
    } else if (type === "file") {
      const content = await files.read(source, allowance.bytes);
      allowance.bytes -= content.length;
      await files.create(target, content, { ...owner, mode });
    }
  }
}

/** Removes whatever lies at a path, links not followed; nothing there is fine. */
export async function removeTree(files: FileSession, path: string, allowance: Allowance): Promise<void> {
  const there = await files.lstat(path).catch(ifMissing);
  if (!there) return;
  if (there.type !== "directory") return files.remove(path);
  for (const { name } of await entriesOf(files, path, allowance)) {
    await removeTree(files, `${path}/${name}`, allowance);
  }
  await files.rmdir(path);
}

async function entriesOf(files: FileSession, path: string, allowance: Allowance) {
  const entries = await files.list(path, allowance.files);
  allowance.files -= entries.length;
  if (allowance.files > 0) return entries;
  throw new TremplinError("failed", `${path} in the container holds too many files`);
}
