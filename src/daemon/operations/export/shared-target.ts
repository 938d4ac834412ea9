import { constants, type FileHandle, open, unlink } from "node:fs/promises";
import { identityOf } from "../../../base/files/file-identity.ts";
import { acquireProcessLock } from "../../../base/processes/process-lock.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { sha256OfFile } from "../../backups/compressed-file.ts";
import { type FoundFile, isMountPoint, openFound } from "./found-file.ts";
import { giveName, isStillNamed, replaceNamed } from "./give-name.ts";
import { assertLeadsHere, cannotWrite, openRequestedPlace, type RequestedPlace } from "./shared-place.ts";
import { noteBeginning } from "./target-beginning.ts";
import {
  notePacked,
  notePublished,
  noteTarget,
  noteTargetBeginning,
  type TargetContext,
  type TargetNote,
  temporaryName,
} from "./target-notes.ts";

/** A backup in the shared folder that is being written. Disposing closes it; what is left then, `concludeTarget` removes. */
export interface SharedTarget extends AsyncDisposable {
  /** Empty, to be written from its beginning. */
  readonly file: FileHandle;
  /** By its ending it says how to pack. */
  readonly name: string;
  /**
   * Gives the whole file its name, so that both are there after a crash too. `message` is what `concludeTarget` returns
   * from then on. Throws `failed` where somebody put another file there meanwhile: that one is left as it is.
   */
  publish(message: string): Promise<void>;
}

/** What the ways to write have in common. */
interface Wanted extends RequestedPlace {
  readonly shared: string;
  /** As it was asked for. */
  readonly path: string;
  readonly context: TargetContext;
  /** Closed, the last first, with the target. */
  readonly stack: AsyncDisposableStack;
}

/** What a system says where a folder is closed to us. */
const CLOSED = new Set(["EACCES", "EPERM", "EROFS"]);

/**
 * Opens a file to write a backup to. It must lie under the shared folder, also after all symbolic links in its path;
 * itself it may be none. A file that has the name already stays as it is until the backup is whole: that is written
 * to a temporary file beside it. Only an empty file is written itself, because a host may have made it and shared
 * that file alone. A folder gets a file called FINGERPRINT.tar.gz in it.
 */
export async function openSharedTarget(
  shared: string,
  path: string,
  context: TargetContext,
): Promise<SharedTarget> {
  await using stack = new AsyncDisposableStack();
  const requested = await openRequestedPlace(shared, path);
  const { place, name } = requested;
  stack.use(place);
  await hold(stack, `export ${place.path}/${name ?? temporaryName(context.id)}`, path);
  const found = name === undefined ? undefined : await openFound(place, name, path);
  if (found) stack.use(found);
  const wanted: Wanted = { ...requested, shared, path, context, stack };
  const target = found ? await overFound(wanted, found) : await beside(wanted);
  const held = stack.move();
  return { ...target, name: name ?? "", [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Checks without making anything. Throws `invalid`, saying why nothing could be written there. */
export async function checkSharedTarget(shared: string, path: string): Promise<void> {
  const { place } = await openRequestedPlace(shared, path);
  await place[Symbol.asyncDispose]();
}

type Opened = Pick<SharedTarget, "file" | "publish">;

async function overFound(wanted: Wanted, found: FoundFile): Promise<Opened> {
  const { place, path } = wanted;
  const { size, nlink } = found.stats;
  if (size === 0n && nlink === 1n) return await inPlace(wanted, found);
  const isMounted = await isMountPoint(found, place);
  try {
    if (!isMounted) return await beside(wanted, found);
  } catch (error) {
    if (!CLOSED.has(causeOf(error))) throw error;
  }
  if (size === 0n) return await inPlace(wanted, found);
  throw new TremplinError(
    "invalid",
    `cannot replace ${path}: ${isMounted ? "it is a mount of its own" : "its folder is closed to the daemon"}, and a file that is not empty is never written over; delete or empty it, or export to another name`,
  );
}

/** Writes a temporary file beside the name, which gets the name last. */
async function beside(wanted: Wanted, found?: FoundFile): Promise<Opened> {
  const { place, name, shared, path, context, stack } = wanted;
  const temporary = temporaryName(context.id);
  await noteTarget(context, targetNote(wanted, found));
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  // Readable by all: who may see the shared folder may see what was put there for it.
  const mode = found ? 0o600 : 0o644;
  const file = stack.use(
    await open(place.at(temporary), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode).catch((error) =>
      cannotWrite(path, error),
    ),
  );
  let isWhole = false;
  // In this very folder, wherever it was moved to.
  stack.defer(async () => {
    if (!isWhole && (await isStillNamed(place, temporary, file))) await unlink(place.at(temporary));
  });
  await found?.giveOwnerTo(file, path);
  const publish = async (message: string): Promise<void> => {
    await assertLeadsHere(wanted, shared, path);
    const final = name ?? `${await sha256OfFile(`/proc/self/fd/${file.fd}`)}.tar.gz`;
    if (!(await isStillNamed(place, temporary, file))) {
      throw new TremplinError(
        "failed",
        `somebody removed ${temporary}, the unfinished backup; export it again`,
      );
    }
    isWhole = true;
    await notePacked(context, { name: final, file: identityOf(await file.stat({ bigint: true })), message });
    const naming = { place, temporary, final, file, path };
    await (found ? replaceNamed(naming, found) : giveName(naming));
    await place.sync();
    await notePublished(context);
  };
  return { file, publish };
}

/** Writes the empty file that is there. */
async function inPlace(
  { place, name, shared, path, context, stack }: Wanted,
  found: FoundFile,
): Promise<Opened> {
  // Never undefined: only names lead here.
  const given = name ?? "";
  await hold(stack, `export file ${found.stats.dev}:${found.stats.ino}`, path);
  const file = stack.use(await found.openToWrite(path));
  const identity = identityOf(await file.stat({ bigint: true }));
  if (identity.size !== "0")
    throw new TremplinError("busy", `somebody writes to ${path} just now; try again`);
  await noteTarget(context, { how: "in-place", folder: place.path, name: given, file: identity });
  let isWhole = false;
  // The very file is at hand here, also where the file system does not tell it from its successor later.
  stack.defer(async () => {
    if (!isWhole && (await isStillNamed(place, given, file))) await file.truncate();
  });
  const beginning = stack.use(noteBeginning(file, (note) => noteTargetBeginning(context, note), context.log));
  const publish = async (message: string): Promise<void> => {
    await beginning.stop();
    await assertLeadsHere({ place, name }, shared, path);
    if (!(await isStillNamed(place, given, file))) {
      throw new TremplinError(
        "failed",
        `${path} was replaced or removed while the backup was written to it; export it again`,
      );
    }
    isWhole = true;
    await notePacked(context, { name: given, file: identityOf(await file.stat({ bigint: true })), message });
    // The folder of a file that is shared alone may be closed to us; the name was there before we came.
    await place.sync().catch((error) => {
      if (!CLOSED.has(causeOf(error))) throw error;
    });
    await notePublished(context);
  };
  return { file, publish };
}

function targetNote({ place, name }: RequestedPlace, found: FoundFile | undefined): TargetNote {
  const folder = place.path;
  if (name === undefined) return { how: "folder", folder };
  return { how: found ? "replace" : "new", folder, name };
}

async function hold(stack: AsyncDisposableStack, what: string, path: string): Promise<void> {
  stack.use(await acquireProcessLock(what, `another export is being written to ${path}`));
}

function causeOf(error: unknown): string {
  const { cause, code } = error as NodeJS.ErrnoException;
  return (error instanceof TremplinError ? (cause as NodeJS.ErrnoException | undefined)?.code : code) ?? "";
}
