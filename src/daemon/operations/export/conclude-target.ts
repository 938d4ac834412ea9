import { constants, open, unlink } from "node:fs/promises";
import { identityOf, isSameFile, isUntouched } from "../../../base/files/file-identity.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { ignoreMissing, SharedPlace } from "./shared-place.ts";
import { beginsAsNoted } from "./target-beginning.ts";
import {
  type BeginningNote,
  type PackedNote,
  readTargetNotes,
  type TargetContext,
  type TargetNote,
  temporaryName,
} from "./target-notes.ts";

/**
 * How the writing of a backup ended, by what the journal says and what is there: the message of `publish` when the
 * backup has its name. Else undefined, and what was begun is removed: the temporary file, or what is in an empty file
 * that was written itself. Nothing else is touched. May be repeated, and works for what an earlier daemon began.
 */
export async function concludeTarget(shared: string, context: TargetContext): Promise<string | undefined> {
  const { target, beginning, packed, isPublished } = readTargetNotes(context.steps);
  if (!target) return undefined;
  if (packed && isPublished) return packed.message;
  const place = await openAgain(shared, target.folder, context);
  if (!place) return undefined;
  await using _open = place;
  if (packed && (await hasItsName(place, packed))) {
    await removeTemporary(place, context);
    await place.sync();
    return packed.message;
  }
  await removeUnfinished(place, { target, beginning }, context);
  return undefined;
}

/** The folder that was written to; undefined where another one, or nothing, is in its place: then nothing is touched. */
async function openAgain(
  shared: string,
  folder: string,
  { log }: TargetContext,
): Promise<SharedPlace | undefined> {
  try {
    await using stack = new AsyncDisposableStack();
    const place = stack.use(await SharedPlace.open(shared, folder));
    if (place.path !== folder) throw new TremplinError("invalid", `${folder} leads to ${place.path} now`);
    stack.move();
    return place;
  } catch (error) {
    const isGone = ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
    if (!isGone && TremplinError.from(error).code !== "invalid") throw error;
    log.warn({ error, folder }, "the folder of an unfinished backup is not there any more");
    return undefined;
  }
}

async function hasItsName(place: SharedPlace, { name, file }: PackedNote): Promise<boolean> {
  const found = await place.find(name);
  if (!found) return false;
  const now = identityOf(found);
  return isUntouched(now, file) || (isSameFile(now, file) && now.size === file.size);
}

async function removeUnfinished(
  place: SharedPlace,
  { target, beginning }: { readonly target: TargetNote; readonly beginning: BeginningNote | undefined },
  context: TargetContext,
): Promise<void> {
  if (target.how === "in-place") return await emptyAgain(place, { ...target, beginning }, context);
  await removeTemporary(place, context);
  if (target.how === "new") await leaveEmpty(place, target.name, context);
}

async function removeTemporary(place: SharedPlace, { id, log }: TargetContext): Promise<void> {
  const name = temporaryName(id);
  const found = await place.find(name);
  if (found?.isFile()) await unlink(place.at(name)).catch(ignoreMissing);
  else if (found)
    log.warn({ folder: place.path, name }, "the name of an unfinished backup is no file; it is left");
}

/**
 * Only the very file that was opened, and only when it begins as what was written: a person may have put another file
 * there since, or copied another backup into this one.
 */
async function emptyAgain(
  place: SharedPlace,
  target: Extract<TargetNote, { how: "in-place" }> & { readonly beginning: BeginningNote | undefined },
  { log }: TargetContext,
): Promise<void> {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  const found = await place.find(target.name);
  if (!found?.isFile() || found.size === 0n) return;
  await using file = await open(place.at(target.name), O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  const isOurs = isSameFile(identityOf(await file.stat({ bigint: true })), target.file);
  if (isOurs && (await beginsAsNoted(file, target.beginning))) return await file.truncate();
  log.warn(
    { folder: place.path, name: target.name },
    "whether a file is an unfinished backup cannot be told; it is left",
  );
}

/** A host that asked for a new file looks for one, whatever the end, and deletes it. */
async function leaveEmpty(place: SharedPlace, name: string, { log }: TargetContext): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    await using _made = await open(place.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      log.info({ error, name }, "no empty file could be left in the place of a backup that failed");
    }
  }
}
