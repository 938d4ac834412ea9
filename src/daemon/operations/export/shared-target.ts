import { constants, type FileHandle, open, unlink } from "node:fs/promises";
import { identityOf } from "../../../base/files/file-identity.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { sha256OfFile } from "../../backups/compressed-file.ts";
import { type ExistingFile, isMountPoint, openExisting } from "./existing-file.ts";
import { recordHead } from "./file-head.ts";
import { assertSameFolder, cannotWrite, openRequestedTarget, type RequestedTarget } from "./open-folder.ts";
import { hasName, linkToName, replaceExisting } from "./publish-backup.ts";
import { type TargetContext, type TargetPlan, temporaryFileName } from "./target-steps.ts";

/** A backup in the shared folder that is being written. After disposal `recoverTarget` removes an unfinished one. */
export interface SharedTarget extends AsyncDisposable {
  /** Empty at first. */
  readonly file: FileHandle;
  /** Its ending names the compression; empty where the target is a folder. */
  readonly name: string;
  /**
   * Gives the whole file its name and makes both durable. From then on `recoverTarget` returns `message`. Throws
   * `failed` where a user has put another file there meanwhile, which it leaves as it is.
   */
  publish(message: string): Promise<void>;
}

interface Target extends RequestedTarget {
  readonly shared: string;
  /** As it was requested. */
  readonly path: string;
  readonly context: TargetContext;
  /** Disposed with the target. */
  readonly stack: AsyncDisposableStack;
}

/** Names and files that exports of this daemon write to; no other daemon works in its state folder. */
const held = new Set<string>();
/** The errors of a folder that the daemon may not write to. */
const CLOSED = new Set(["EACCES", "EPERM", "EROFS"]);

/**
 * Opens a file to write a backup to. Its folder must be under the shared folder after all symbolic links are resolved,
 * and it must not be a link itself. A file that has the name stays as it is until the backup, in a temporary file in the
 * same folder, is whole. Only an empty file is written in place, because a host may have made and shared only that file.
 * In a folder the backup gets the name FINGERPRINT.tar.gz.
 */
export async function openSharedTarget(
  shared: string,
  path: string,
  context: TargetContext,
): Promise<SharedTarget> {
  await using stack = new AsyncDisposableStack();
  const requested = await openRequestedTarget(shared, path);
  const { folder, name } = requested;
  stack.use(folder);
  holdTarget(stack, `${folder.path}/${name ?? temporaryFileName(context.id)}`, path);
  const existing = name === undefined ? undefined : await openExisting(folder, name, path);
  if (existing) stack.use(existing);
  const target: Target = { ...requested, shared, path, context, stack };
  const opened = existing ? await openOverExisting(target, existing) : await openTemporary(target);
  const moved = stack.move();
  return { ...opened, name: name ?? "", [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** Throws `invalid` for a target to which no backup could be written. Makes no file. */
export async function checkSharedTarget(shared: string, path: string): Promise<void> {
  const { folder } = await openRequestedTarget(shared, path);
  await folder[Symbol.asyncDispose]();
}

type Opened = Pick<SharedTarget, "file" | "publish">;

async function openOverExisting(target: Target, existing: ExistingFile): Promise<Opened> {
  const { folder, path } = target;
  const { size, nlink } = existing.stats;
  if (size === 0n && nlink === 1n) return await openInPlace(target, existing);
  const isMounted = await isMountPoint(existing, folder);
  try {
    if (!isMounted) return await openTemporary(target, existing);
  } catch (error) {
    if (!CLOSED.has(systemCodeOf(error))) throw error;
  }
  if (size === 0n) return await openInPlace(target, existing);
  throw new TremplinError(
    "invalid",
    `cannot replace ${path}: ${isMounted ? "it is a mount of its own" : "its folder is closed to the daemon"}, and a file that is not empty is never written over; delete or empty it, or export to another name`,
  );
}

/** Opens a temporary file that gets the name in the end. */
async function openTemporary(target: Target, existing?: ExistingFile): Promise<Opened> {
  const { folder, name, shared, path, context, stack } = target;
  const temporary = temporaryFileName(context.id);
  await context.step("target", planOf(target, existing));
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = stack.use(
    await open(folder.at(temporary), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600).catch((error) =>
      cannotWrite(path, error),
    ),
  );
  let isWhole = false;
  // Recovery would not find the folder if it was moved.
  stack.defer(async () => {
    if (!isWhole && (await hasName(folder, temporary, file))) await unlink(folder.at(temporary));
  });
  await existing?.copyOwnerTo(file, path);
  const publish = async (message: string): Promise<void> => {
    await assertSameFolder(target, shared, path);
    const final = name ?? `${await sha256OfFile(`/proc/self/fd/${file.fd}`)}.tar.gz`;
    if (!(await hasName(folder, temporary, file))) {
      throw new TremplinError("failed", `the unfinished backup ${temporary} was deleted; export again`);
    }
    isWhole = true;
    const stats = await file.stat({ bigint: true });
    await context.step("packed", { name: final, file: identityOf(stats), message });
    const backup = { folder, temporary, final, file, path };
    await (existing ? replaceExisting(backup, existing) : linkToName(backup));
    await folder.sync();
    await context.step("published");
  };
  return { file, publish };
}

/** Opens the empty file that has the name. */
async function openInPlace(
  { folder, name, shared, path, context, stack }: Target,
  existing: ExistingFile,
): Promise<Opened> {
  // Never undefined: an existing file has a name.
  const given = name ?? "";
  holdTarget(stack, `${existing.stats.dev}:${existing.stats.ino}`, path);
  const file = stack.use(await existing.openToWrite(path));
  const identity = identityOf(await file.stat({ bigint: true }));
  if (identity.size !== "0") {
    throw new TremplinError("busy", `another program is writing to ${path}; try again later`);
  }
  await context.step("target", { how: "in-place", folder: folder.path, name: given, file: identity });
  let isWhole = false;
  // Only here is the file certain: on some file systems recovery cannot distinguish it from one that replaced it.
  stack.defer(async () => {
    if (!isWhole && (await hasName(folder, given, file))) await file.truncate();
  });
  const head = stack.use(recordHead(file, (value) => context.step("beginning", value), context.log));
  const publish = async (message: string): Promise<void> => {
    await head.stop();
    await assertSameFolder({ folder, name }, shared, path);
    if (!(await hasName(folder, given, file))) {
      throw new TremplinError(
        "failed",
        `${path} was replaced or removed while the backup was written to it; export it again`,
      );
    }
    isWhole = true;
    const stats = await file.stat({ bigint: true });
    await context.step("packed", { name: given, file: identityOf(stats), message });
    // The daemon may not be allowed to open the folder of a file that is shared alone. The name existed before.
    await folder.sync().catch((error) => {
      if (!CLOSED.has(systemCodeOf(error))) throw error;
    });
    await context.step("published");
  };
  return { file, publish };
}

function planOf({ folder: { path: folder }, name }: Target, existing: ExistingFile | undefined): TargetPlan {
  if (name === undefined) return { how: "folder", folder };
  return { how: existing ? "replace" : "new", folder, name };
}

function holdTarget(stack: AsyncDisposableStack, target: string, path: string): void {
  if (held.has(target)) throw new TremplinError("busy", `another export is being written to ${path}`);
  held.add(target);
  stack.defer(() => void held.delete(target));
}

function systemCodeOf(error: unknown): string {
  const { cause, code } = error as NodeJS.ErrnoException;
  return (error instanceof TremplinError ? (cause as NodeJS.ErrnoException | undefined)?.code : code) ?? "";
}
