import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession, NodeInfo, NodeOwner } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { AccountContents, ChangedAccountFile } from "./account-database.ts";
import { group, gshadow, passwd, shadow } from "./account-formats.ts";
import { temporaryPath } from "./container-files.ts";

/** Far more than any system needs. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads the account files of a container; follows links inside it. Throws if a file other than gshadow is missing. */
export async function readAccountFiles(files: FileSession): Promise<AccountContents> {
  const read = (path: string): Promise<Buffer> => files.read(path, MAX_BYTES);
  const [users, groups, passwords, groupPasswords] = await Promise.all([
    read(passwd.path),
    read(group.path),
    read(shadow.path),
    read(gshadow.path).catch(ifMissing),
  ]);
  return { passwd: users, group: groups, shadow: passwords, gshadow: groupPasswords };
}

/**
 * Replaces changed files, each by an atomic rename, and saves their former content as `/etc/passwd-` and so on, so
 * that every file is complete after a crash at any instant. Files keep their owner and mode, except that others
 * cannot read passwords. Returns false and changes nothing if the files changed since they were read.
 */
export async function replaceAccountFiles(
  files: FileSession,
  read: AccountContents,
  changes: readonly ChangedAccountFile[],
): Promise<boolean> {
  const replacements: Replacement[] = [];
  for (const change of changes) replacements.push(...(await prepareReplacements(files, change)));
  try {
    for (const { path, content, owner } of replacements) {
      await files.remove(temporaryPath(path)).catch(ifMissing);
      await files.create(temporaryPath(path), content, owner);
    }
    if (!isSame(read, await readAccountFiles(files))) return false;
    for (const { path } of replacements) await files.rename(temporaryPath(path), path);
    return true;
  } finally {
    for (const { path } of replacements) await files.remove(temporaryPath(path)).catch(() => undefined);
  }
}

interface Replacement {
  readonly path: string;
  readonly content: Uint8Array;
  readonly owner: NodeOwner;
}

async function prepareReplacements(files: FileSession, change: ChangedAccountFile): Promise<Replacement[]> {
  const { path, secret, before, after } = change;
  const backup = `${path}-`;
  const there = await files.lstat(path);
  refuseLink(path, there);
  refuseLink(backup, await files.lstat(backup).catch(ifMissing));
  const { uid, gid, mode } = there;
  const owner = { uid, gid, mode: secret ? mode & 0o770 : mode };
  return [
    { path: backup, content: before, owner },
    { path, content: after, owner },
  ];
}

/** Something else may depend on the target of a link. */
function refuseLink(path: string, there: NodeInfo | undefined): void {
  if (!there || there.type === "file") return;
  throw new TremplinError(
    "failed",
    `${path} is a ${there.type}, not a regular file: replace it with a regular file in the container`,
  );
}

function isSame(one: AccountContents, other: AccountContents): boolean {
  const keys = ["passwd", "group", "shadow", "gshadow"] as const;
  return keys.every((key) => {
    const [a, b] = [one[key], other[key]];
    return a && b ? Buffer.compare(a, b) === 0 : a === b;
  });
}
