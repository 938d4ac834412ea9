import type { MessageInitShape } from "@bufbuild/protobuf";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { FileItemSchema } from "../../contract/tremplin/v1/guest_pb.js";
import type { FileSession, NodeInfo } from "../../engine/files/file-session.ts";
import { reasonOf } from "./file-error.ts";
import { bytesOf } from "./place.ts";

export type Item = MessageInitShape<typeof FileItemSchema>;

/** Deeper ones are skipped: whoever walks holds every folder above open. */
export const MAX_DEPTH = 200;
/** Files up to this size are read many at a time. */
const SMALL_BYTES = 64 * 1024;
const SMALL_AT_A_TIME = 64;
/** Files of the kernel say that they are empty. Of one in a tree no more is taken than of a small one. */
const MAX_UNKNOWN_BYTES = 1024 * 1024;
/** What the kernel makes up while it is read, some of it without end. */
const KERNEL_FOLDERS = new Set(["/proc", "/sys"]);

/** Something found in the walk: an item as it is, or a file to be read. */
type Found = { readonly item: Item } | FoundFile;

interface FoundFile {
  /** Latin1, as the name. */
  readonly path: string;
  readonly name: string;
  readonly info: NodeInfo;
}

/**
 * A tree of files of a container, as items in the order of a walk. Whatever the container does meanwhile, what arrives
 * is a tree: names are single, and a file that cannot be read to its end is called skipped. The sender holds some small
 * files at most, never a large one, nor a whole listing.
 */
export async function* sendTree(
  files: FileSession,
  path: string,
  name: string,
  info: NodeInfo,
): AsyncGenerator<Item, void, void> {
  const ahead: Promise<Item[]>[] = [];
  try {
    for await (const found of walk(files, path, name, info, 0)) {
      if ("info" in found && (found.info.size > SMALL_BYTES || found.path === path)) {
        while (ahead.length > 0) yield* (await ahead.shift()) ?? [];
        yield* readFile(files, found, MAX_UNKNOWN_BYTES);
        continue;
      }
      const items = "item" in found ? Promise.resolve([found.item]) : wholeFile(files, found);
      items.catch(() => undefined);
      ahead.push(items);
      if (ahead.length >= SMALL_AT_A_TIME) yield* (await ahead.shift()) ?? [];
    }
    while (ahead.length > 0) yield* (await ahead.shift()) ?? [];
  } finally {
    await Promise.allSettled(ahead);
  }
}

async function* walk(
  files: FileSession,
  path: string,
  name: string,
  info: NodeInfo,
  depth: number,
): AsyncGenerator<Found, void, void> {
  if (info.type === "file") yield { path, name, info };
  else if (info.type === "special") yield skip(path, "it is a pipe, a socket or a device", true);
  else if (info.type === "symlink") yield await linkItem(files, path, name, info);
  else if (depth > MAX_DEPTH) yield skip(path, `it is more than ${MAX_DEPTH} folders deep`);
  else if (depth > 0 && KERNEL_FOLDERS.has(path)) yield skip(path, "it is no folder of a disk", true);
  else yield* walkFolder(files, path, name, info, depth);
}

async function* walkFolder(
  files: FileSession,
  path: string,
  name: string,
  info: NodeInfo,
  depth: number,
): AsyncGenerator<Found, void, void> {
  yield { item: { item: { case: "folder", value: entryOf(name, info) } } };
  const pages = files.pages(path);
  try {
    for (;;) {
      const { done, value } = await pages.next().catch((error) => {
        throw new Unreadable(error);
      });
      if (done) break;
      for (const { name: child, ...about } of value) {
        yield* walk(files, `${path === "/" ? "" : path}/${child}`, child, about, depth + 1);
      }
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    yield skip(path, whyUnreadable(error.cause));
  } finally {
    await pages.return();
  }
  yield { item: { item: { case: "end", value: true } } };
}

/** A listing that failed, not what was found in it. */
class Unreadable extends Error {
  constructor(cause: unknown) {
    super(errorMessage(cause), { cause });
  }
}

async function linkItem(files: FileSession, path: string, name: string, info: NodeInfo): Promise<Found> {
  try {
    const target = bytesOf(await files.readlink(path));
    return { item: { item: { case: "link", value: { ...entryOf(name, info), target } } } };
  } catch (error) {
    return skip(path, whyUnreadable(error));
  }
}

async function wholeFile(files: FileSession, file: FoundFile): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of readFile(files, file, SMALL_BYTES)) items.push(item);
  return items;
}

/** No more than the size that was listed, so that a file which grows has an end. */
async function* readFile(
  files: FileSession,
  { path, name, info }: FoundFile,
  unknownBytes: number,
): AsyncGenerator<Item, void, void> {
  yield { item: { case: "file", value: entryOf(name, info) } };
  let last: Item = { item: { case: "end", value: true } };
  try {
    const file = await files.openRead(path);
    for await (const value of file.content(info.size || unknownBytes)) {
      yield { item: { case: "data", value: new Uint8Array(value) } };
    }
    await file.close();
  } catch (error) {
    last = skip(path, whyUnreadable(error)).item;
  }
  yield last;
}

function entryOf(name: string, { mode, modified, size, type }: NodeInfo) {
  const bytes = type === "file" ? size : 0;
  return { name: bytesOf(name), mode: mode & 0o777, modifiedSeconds: BigInt(modified), size: BigInt(bytes) };
}

function skip(path: string, reason: string, special = false): { readonly item: Item } {
  return { item: { item: { case: "skipped", value: { path: bytesOf(path), reason, special } } } };
}

/** Throws what is no fault of a single file. */
function whyUnreadable(thrown: unknown): string {
  const error = TremplinError.from(thrown);
  if (error.code !== "failed" && error.code !== "not-found") throw error;
  return `it cannot be read: ${reasonOf(error)}`;
}
