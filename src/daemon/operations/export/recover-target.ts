import { constants, open, unlink } from "node:fs/promises";
import { identityOf, isSameFile, isUntouched } from "../../../base/files/file-identity.ts";
import { ignoreMissing } from "../../../base/files/files.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { startsWithHead } from "./file-head.ts";
import { OpenFolder } from "./open-folder.ts";
import {
  type FileHead,
  type PackedFile,
  type TargetContext,
  type TargetPlan,
  temporaryFileName,
} from "./target-steps.ts";

/**
 * Finishes the writing of a backup, also of one that an earlier daemon began, by the journal and the files. Returns the
 * message of `publish` when the backup has its name. Otherwise removes the temporary file, or truncates the empty file
 * that was written in place, touches nothing else, and returns undefined. Safe to repeat.
 */
export async function recoverTarget(shared: string, context: TargetContext): Promise<string | undefined> {
  const { target, beginning: head, packed, published } = context.steps;
  if (!target) return undefined;
  if (packed && published) return packed.message;
  const folder = await reopenFolder(shared, target.folder, context);
  if (!folder) return undefined;
  await using _open = folder;
  if (packed && (await isNamed(folder, packed))) {
    await removeTemporary(folder, context);
    await folder.sync();
    return packed.message;
  }
  await removeUnfinished(folder, { target, head }, context);
  return undefined;
}

/** The folder of the backup. Undefined where it is gone or replaced by another one: then nothing is touched. */
async function reopenFolder(
  shared: string,
  path: string,
  { log }: TargetContext,
): Promise<OpenFolder | undefined> {
  try {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await OpenFolder.open(shared, path));
    if (folder.path !== path) throw new TremplinError("invalid", `${path} now resolves to ${folder.path}`);
    stack.move();
    return folder;
  } catch (error) {
    const isGone = ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
    if (!isGone && TremplinError.from(error).code !== "invalid") throw error;
    log.warn({ error, folder: path }, "the folder of an unfinished backup is gone");
    return undefined;
  }
}

async function isNamed(folder: OpenFolder, { name, file }: PackedFile): Promise<boolean> {
  const found = await folder.find(name);
  if (!found) return false;
  const now = identityOf(found);
  return isUntouched(now, file) || (isSameFile(now, file) && now.size === file.size);
}

async function removeUnfinished(
  folder: OpenFolder,
  { target, head }: { readonly target: TargetPlan; readonly head: FileHead | undefined },
  context: TargetContext,
): Promise<void> {
  if (target.how === "in-place") return await truncateUnfinished(folder, { ...target, head }, context);
  await removeTemporary(folder, context);
  if (target.how === "new") await createEmpty(folder, target.name, context);
}

async function removeTemporary(folder: OpenFolder, { id, log }: TargetContext): Promise<void> {
  const name = temporaryFileName(id);
  const found = await folder.find(name);
  if (found?.isFile()) await unlink(folder.at(name)).catch(ignoreMissing);
  else if (found)
    log.warn({ folder: folder.path, name }, "the name of an unfinished backup is no file: leaving it");
}

/**
 * Truncates only the very file that was opened, and only when it starts with the bytes that were written: a person may
 * have put another file there since, or copied another backup into this one.
 */
async function truncateUnfinished(
  folder: OpenFolder,
  target: Extract<TargetPlan, { how: "in-place" }> & { readonly head: FileHead | undefined },
  { log }: TargetContext,
): Promise<void> {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  const found = await folder.find(target.name);
  if (!found?.isFile() || found.size === 0n) return;
  await using file = await open(folder.at(target.name), O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  const isOurs = isSameFile(identityOf(await file.stat({ bigint: true })), target.file);
  if (isOurs && (await startsWithHead(file, target.head))) return await file.truncate();
  log.warn({ folder: folder.path, name: target.name }, "a file may not be the unfinished backup: leaving it");
}

/** A host that requested a new file expects one even after a failure, and deletes it. */
async function createEmpty(folder: OpenFolder, name: string, { log }: TargetContext): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    await using _made = await open(folder.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      log.info({ error, name }, "cannot create the empty file that a failed backup leaves");
    }
  }
}
