import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileItemSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { OpenFolder } from "./open-folder.ts";
import { cannotRead } from "./own-error.ts";

export type Item = MessageInitShape<typeof FileItemSchema>;

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const CHUNK_BYTES = 128 * 1024;
/** Folders above are held open. */
const MAX_DEPTH = 200;
/** Files of the kernel say that they are empty. */
const MAX_UNKNOWN_BYTES = 1024 * 1024;
const SPECIAL = "it is a pipe, a socket or a device";

/** How much there is to copy. */
export interface Amount {
  files: number;
  bytes: number;
}

/** Something of this computer, as items in the order of a walk. A link is followed where the path itself is one. */
export async function* readOwn(path: string): AsyncGenerator<Item, void, void> {
  const full = resolve(path);
  try {
    const stats = statSync(full);
    const name = Buffer.from(basename(full) || "root");
    if (stats.isDirectory()) {
      using folder = OpenFolder.open(full);
      yield* readFolder(folder, name, full, stats, 0);
    } else if (stats.isFile()) {
      using folder = OpenFolder.open(dirname(full));
      yield* readFile(folder, name, full, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    } else {
      throw new TremplinError("failed", `${full}: ${SPECIAL}, which cannot be copied`);
    }
  } catch (error) {
    throw cannotRead(full, error);
  }
}

/** Counts what readOwn will send, as far as it can be read. */
export async function measureOwn(path: string, amount: Amount, signal: AbortSignal): Promise<void> {
  const full = resolve(path);
  let stats: Stats;
  try {
    stats = statSync(full);
  } catch (error) {
    throw cannotRead(full, error);
  }
  await measure(Buffer.from(full), stats, amount, signal, 0);
}

async function measure(
  path: Buffer,
  stats: Stats,
  amount: Amount,
  signal: AbortSignal,
  depth: number,
): Promise<void> {
  if (!stats.isDirectory()) {
    amount.files++;
    amount.bytes += stats.isFile() ? stats.size : 0;
    if (amount.files % 1000 === 0) await nextTurn(undefined, { signal });
    return;
  }
  for (const name of depth < MAX_DEPTH ? namesIn(path) : []) {
    const child = Buffer.concat([path, Buffer.from("/"), name]);
    const found = ifThere(() => lstatSync(child));
    if (found) await measure(child, found, amount, signal, depth + 1);
  }
}

function namesIn(path: Buffer): Buffer[] {
  return ifThere(() => readdirSync(path, { encoding: "buffer" })) ?? [];
}

function ifThere<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

async function* readFolder(
  folder: OpenFolder,
  name: Buffer,
  path: string,
  stats: Stats,
  depth: number,
): AsyncGenerator<Item, void, void> {
  yield { item: { case: "folder", value: entryOf(name, stats) } };
  const names = attempt(() => readdirSync(`/proc/self/fd/${folder.fd}`, { encoding: "buffer" }), path);
  if (!Array.isArray(names)) yield names;
  else for (const child of names) yield* readChild(folder, child, `${path}/${child.toString()}`, depth + 1);
  yield { item: { case: "end", value: true } };
}

async function* readChild(
  folder: OpenFolder,
  name: Buffer,
  path: string,
  depth: number,
): AsyncGenerator<Item, void, void> {
  const stats = attempt(() => lstatSync(folder.path(name)), path);
  if ("item" in stats) yield stats;
  else if (stats.isFile()) yield* readFile(folder, name, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  else if (stats.isSymbolicLink()) {
    yield attempt(() => {
      const target = new Uint8Array(readlinkSync(folder.path(name), { encoding: "buffer" }));
      return { item: { case: "link" as const, value: { ...entryOf(name, stats), target } } };
    }, path);
  } else if (!stats.isDirectory()) yield skip(path, SPECIAL);
  else if (depth > MAX_DEPTH) yield skip(path, `it is more than ${MAX_DEPTH} folders deep`);
  else {
    const child = attempt(() => folder.openChild(name), path);
    if ("item" in child) yield child;
    else {
      try {
        yield* readFolder(child, name, path, stats, depth);
      } finally {
        child[Symbol.dispose]();
      }
    }
  }
}

/** No more than its size when it was opened, so that a file which grows has an end. */
async function* readFile(
  folder: OpenFolder,
  name: Buffer,
  path: string,
  flags: number,
): AsyncGenerator<Item, void, void> {
  const opened = attempt(() => openSync(folder.path(name), flags), path);
  if (typeof opened !== "number") return yield opened;
  try {
    const stats = fstatSync(opened);
    if (!stats.isFile()) return yield skip(path, SPECIAL);
    yield { item: { case: "file", value: entryOf(name, stats) } };
    const size = stats.size || MAX_UNKNOWN_BYTES;
    for (let position = 0; position < size; ) {
      const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size - position));
      const count = attempt(() => readSync(opened, buffer, 0, buffer.length, position), path);
      if (typeof count !== "number") return yield count;
      if (count === 0) break;
      position += count;
      yield { item: { case: "data", value: buffer.subarray(0, count) } };
    }
    yield { item: { case: "end", value: true } };
  } finally {
    closeSync(opened);
  }
}

function entryOf(name: Buffer, { mode, mtimeMs, size }: Stats) {
  const modifiedSeconds = BigInt(Math.max(0, Math.floor(mtimeMs / 1000)));
  return { name: new Uint8Array(name), mode: mode & 0o777, modifiedSeconds, size: BigInt(size) };
}

/** What it returns, or the item that says why it cannot be copied. */
function attempt<T>(act: () => T, path: string): T | ReturnType<typeof skip> {
  try {
    return act();
  } catch (error) {
    return skip(path, systemErrorText(error));
  }
}

function skip(path: string, reason: string) {
  const value = { path: new Uint8Array(Buffer.from(path)), reason, special: reason === SPECIAL };
  return { item: { case: "skipped" as const, value } };
}
