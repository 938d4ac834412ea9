import { errorMessage, isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession, NodeInfo, NodeOwner } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { AccountContents, ChangedAccountFile } from "./account-database.ts";
import { group, gshadow, passwd, shadow } from "./account-formats.ts";
import { replaceFile, temporaryPath } from "./container-files.ts";

/** Far more than any system needs: a hundred thousand accounts. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Of a new group file. */
const PUBLIC = { uid: 0, gid: 0, mode: 0o644 };

/** Reads the users of a container; follows links inside it. Throws `failed` if the file is missing. */
export async function readPasswd(files: FileSession): Promise<Buffer> {
  const content = await readIfThere(files, passwd.path);
  if (content) return content;
  throw new TremplinError("failed", `there is no such file in the container: ${passwd.path}`);
}

/** Reads the account files of a container; follows links inside it. Throws `failed` if passwd is missing. */
export async function readAccountFiles(files: FileSession): Promise<AccountContents> {
  const [users, groups, passwords, groupPasswords] = await Promise.all([
    readPasswd(files),
    readIfThere(files, group.path),
    readIfThere(files, shadow.path),
    readIfThere(files, gshadow.path),
  ]);
  return { passwd: users, group: groups, shadow: passwords, gshadow: groupPasswords };
}

/** Undefined if nothing is there; a link that leads nowhere is something. */
async function readIfThere(files: FileSession, path: string): Promise<Buffer | undefined> {
  try {
    return await files.read(path, MAX_BYTES);
  } catch (error) {
    ifMissing(error);
    if (await files.lstat(path).catch(ifMissing)) throw error;
    return undefined;
  }
}

/** A file to write: an account file, or its backup. */
interface Replacement {
  readonly path: string;
  readonly content: Uint8Array;
  readonly owner: NodeOwner;
  /** For an account file: what it contained. Undefined for a backup, and if there was no such file. */
  readonly former?: Uint8Array;
}

/**
 * What replaceAccountFiles has to write. Files keep their owner and mode, also the backups; a backup is never open to
 * more than its file. Throws `failed` for a file that must not be replaced. Writes nothing.
 */
export async function prepareReplacements(
  files: FileSession,
  changes: readonly ChangedAccountFile[],
): Promise<Replacement[]> {
  const prepared: Replacement[] = [];
  for (const { path, before, after } of changes) {
    if (before === undefined) {
      prepared.push({ path, content: after, owner: PUBLIC });
      continue;
    }
    const there = await files.lstat(path);
    refuseLink(path, there);
    const backup = `${path}-`;
    const former = (await files.lstat(backup).catch(ifMissing)) ?? there;
    refuseLink(backup, former);
    const closed = { ...former, mode: former.mode & there.mode };
    prepared.push({ path: backup, content: before, owner: closed });
    prepared.push({ path, content: after, owner: there, former: before });
  }
  return prepared;
}

/**
 * Replaces account files, each by an atomic rename, and saves their former content as `/etc/passwd-` and so on, so
 * that every file is complete after a crash at any instant. Returns false and changes nothing if the files changed
 * since they were read. If one cannot be replaced (it is immutable, or something is mounted on it), the others get
 * their former content again.
 */
export async function replaceAccountFiles(
  files: FileSession,
  read: AccountContents,
  replacements: readonly Replacement[],
): Promise<boolean> {
  if (replacements.length === 0) return true;
  try {
    for (const { path, content, owner } of replacements) {
      await files.remove(temporaryPath(path)).catch(ifMissing);
      await files.create(temporaryPath(path), content, owner);
    }
    if (!isSame(read, await readAccountFiles(files))) return false;
    for (const [index, { path }] of replacements.entries()) {
      const replaced = replacements.slice(0, index);
      await files.rename(temporaryPath(path), path).catch((error) => undo(files, replaced, path, error));
    }
    return true;
  } finally {
    for (const { path } of replacements) await files.remove(temporaryPath(path)).catch(() => undefined);
  }
}

/** Throws the sentence for a file that could not be replaced. */
async function undo(
  files: FileSession,
  replaced: readonly Replacement[],
  path: string,
  error: unknown,
): Promise<never> {
  for (const { path: done, former, owner } of replaced) {
    if (former) await replaceFile(files, done, former, owner).catch(() => undefined);
  }
  if (isUnavailable(error)) throw error;
  const why = errorMessage(error);
  const advice = "if it is immutable or something is mounted on it, change that in the container";
  throw new TremplinError("failed", `${path} in the container cannot be replaced: ${why}; ${advice}`, error);
}

/** Something else may depend on the target of a link. */
function refuseLink(path: string, there: NodeInfo): void {
  if (there.type === "file") return;
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
