import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/file-session.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import type { AccountContents, ChangedAccountFile } from "./account-database.ts";
import { group } from "./group.ts";
import { gshadow } from "./gshadow.ts";
import { passwd } from "./passwd.ts";
import { beside } from "./replace.ts";
import { shadow } from "./shadow.ts";

/** Far more than any system has users for. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The account files of a container, links followed inside it. Throws if one but gshadow is missing. */
export async function readAccountFiles(files: FileSession): Promise<AccountContents> {
  const read = (path: string): Promise<Buffer> => files.read(path, MOST_BYTES);
  const [users, groups, passwords, groupPasswords] = await Promise.all([
    read(passwd.path),
    read(group.path),
    read(shadow.path),
    read(gshadow.path).catch(ifMissing),
  ]);
  return { passwd: users, group: groups, shadow: passwords, gshadow: groupPasswords };
}

/**
 * Puts changed files in their places, each at once by renaming, and what they held before beside them
 * (`/etc/passwd-`), so that after a crash at any instant every file is whole (behaviour.md 12 item 39). False,
 * and nothing is changed, if the files are no longer what they were when they were read.
 */
export async function replaceAccountFiles(
  files: FileSession,
  read: AccountContents,
  changes: readonly ChangedAccountFile[],
): Promise<boolean> {
  for (const { path } of changes) await refuseLink(files, path);
  const replacements = changes.flatMap(({ path, before, after, gid, mode }) => [
    { path: `${path}-`, content: before, owner: { uid: 0, gid, mode } },
    { path, content: after, owner: { uid: 0, gid, mode } },
  ]);
  try {
    for (const { path, content, owner } of replacements) {
      await files.remove(beside(path)).catch(ifMissing);
      await files.create(beside(path), content, owner);
    }
    if (!isSame(read, await readAccountFiles(files))) return false;
    for (const { path } of replacements) await files.rename(beside(path), path);
    return true;
  } finally {
    for (const { path } of replacements) await files.remove(beside(path)).catch(() => undefined);
  }
}

/** What else may depend on a file that lies elsewhere is not known here. */
async function refuseLink(files: FileSession, path: string): Promise<void> {
  const { type } = await files.lstat(path);
  if (type === "file") return;
  throw new TremplinError(
    "failed",
    `${path} is a ${type} and is left alone: put a plain file in its place in the container`,
  );
}

function isSame(one: AccountContents, other: AccountContents): boolean {
  const keys = ["passwd", "group", "shadow", "gshadow"] as const;
  return keys.every((key) => {
    const [a, b] = [one[key], other[key]];
    return a && b ? Buffer.compare(a, b) === 0 : a === b;
  });
}
