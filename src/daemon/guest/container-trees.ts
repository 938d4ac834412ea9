import { posix } from "node:path";
import { forEachOf } from "../../base/async/for-each-of.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession, NodeInfo } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { ifInaccessible } from "./container-files.ts";

/** Also the owner of what has an id that the container does not map: not even its root can open that. */
export const NOBODY = 65534;
/** Of the kernel, with the NUL byte. */
export const MAX_PATH_LENGTH = 4096;
/** How many files are copied or removed at the same time: each takes several requests to the engine. */
const CONCURRENCY = 16;

/** How much a file may grow between the listing and the copy. */
const GROWTH_BYTES = 64 * 1024;

/** How much a tree may hold: the container could have made it endless. */
export interface TreeLimits {
  readonly files: number;
  readonly bytes: number;
}

/** Something below a directory. */
export interface TreeNode extends NodeInfo {
  /** Relative to that directory. */
  readonly path: string;
}

/**
 * Lists a directory of a container with all that is below it, every directory before its content. Does not follow
 * links; leaves out what lies behind a directory that cannot be opened or a path that is too long. Throws `failed`
 * beyond the limits.
 */
export async function listTree(files: FileSession, root: string, limits: TreeLimits): Promise<TreeNode[]> {
  const found: TreeNode[] = [];
  let bytes = 0;
  const addContent = async (folder: string, owner: number): Promise<void> => {
    const listing = files.list(`${root}/${folder}`, limits.files);
    for (const entry of (await (owner === NOBODY ? listing.catch(ifInaccessible) : listing)) ?? []) {
      const node = { ...entry, path: posix.join(folder, entry.name) };
      if (node.path.length > MAX_PATH_LENGTH / 2) continue;
      found.push(node);
      bytes += node.type === "file" ? node.size : 0;
      checkLimits(root, found.length, bytes, limits);
      if (node.type === "directory") await addContent(node.path, node.uid);
    }
  };
  await addContent("", 0);
  return found;
}

function checkLimits(root: string, files: number, bytes: number, limits: TreeLimits): void {
  if (files > limits.files) {
    throw new TremplinError("failed", `${root} in the container holds more than ${limits.files} files`);
  }
  if (bytes > limits.bytes) {
    const megabytes = limits.bytes / 1024 / 1024;
    throw new TremplinError(
      "failed",
      `the files in ${root} of the container are larger than ${megabytes} MB`,
    );
  }
}

export interface TreeCopy {
  readonly from: string;
  readonly to: string;
  /** Of everything but links. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Ends the copy between two files; its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Copies what `listTree` found below one directory into another: keeps modes and links, skips special files and what
 * cannot be read. Returns the number of the latter.
 */
export async function copyTree(
  files: FileSession,
  nodes: readonly TreeNode[],
  { from, to, owner, signal }: TreeCopy,
): Promise<number> {
  let unreadable = 0;
  const copyNode = async ({ path, type, mode, size }: TreeNode): Promise<void> => {
    signal.throwIfAborted();
    const [source, target] = [`${from}/${path}`, `${to}/${path}`];
    if (type === "symlink") {
      const link = await files.readlink(source).catch(ifInaccessible);
      if (link === undefined) unreadable++;
      else await files.symlink(target, link);
    } else if (type === "file") {
      const content = await files.read(source, size + GROWTH_BYTES).catch(ifInaccessible);
      if (content === undefined) unreadable++;
      else await files.create(target, content, { ...owner, mode });
    }
  };
  for (const { path, mode } of nodes.filter(isFolder)) await files.mkdir(`${to}/${path}`, { ...owner, mode });
  await forEachOf(
    nodes.filter((node) => !isFolder(node)),
    CONCURRENCY,
    copyNode,
  );
  return unreadable;
}

/** Removes a file or directory tree, if it exists; does not follow links. */
export async function removeTree(files: FileSession, path: string, limits: TreeLimits): Promise<void> {
  const there = await files.lstat(path).catch(ifMissing);
  if (!there) return;
  if (there.type !== "directory") return files.remove(path);
  const nodes = await listTree(files, path, limits);
  const content = nodes.filter((node) => !isFolder(node));
  await forEachOf(content, CONCURRENCY, (node) => files.remove(`${path}/${node.path}`));
  for (const node of nodes.filter(isFolder).reverse()) await files.rmdir(`${path}/${node.path}`);
  await files.rmdir(path);
}

function isFolder({ type }: TreeNode): boolean {
  return type === "directory";
}
