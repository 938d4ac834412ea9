import { spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { constants } from "node:os";
import { execute } from "./system-state.ts";

const { EEXIST, EFBIG, EINVAL, ENOENT, ENOSYS } = constants.errno;
const ROOT = 1n;
/** More than the longest request. */
const BUFFER_BYTES = 256 * 1024;
const MAX_WRITE = 128 * 1024;
const HEADER_BYTES = 40;
const REGULAR = 0o100_644;
const FOLDER = 0o40_755;

interface Node {
  readonly id: bigint;
  name: string | undefined;
  content: Buffer;
}

/** The part of a request behind its header. */
interface Request {
  readonly node: bigint;
  readonly body: Buffer;
}

type Answer = Buffer | number | undefined;

/**
 * A shared folder on a file system that can do little, as those of networks and of virtual machines (FUSE, in memory):
 * nothing can be synced, there are no hard links, owners and modes cannot be changed, and files have a largest size. It
 * is served by this process, which must use it only by asynchronous calls. Disposing unmounts it.
 */
export async function limitedShare(folder: string, maxFileBytes = 1e9): Promise<AsyncDisposable> {
  await mkdir(folder);
  const device = await open("/dev/fuse", "r+");
  const options = `fd=3,rootmode=40000,user_id=0,group_id=0,allow_other`;
  const mounting = spawn("mount", ["-i", "-t", "fuse", "-o", options, "limited-share", folder], {
    stdio: ["ignore", "ignore", "inherit", device.fd],
  });
  const [code] = await once(mounting, "exit");
  if (code !== 0) throw new Error(`cannot mount ${folder}`);
  // Not before: until it is mounted the device cannot be read.
  const serving = serve(device, new LimitedFolder(maxFileBytes));
  return {
    async [Symbol.asyncDispose]() {
      await execute("umount", ["--lazy", folder]);
      await serving;
      await device.close();
    },
  };
}

async function serve(device: FileHandle, folder: LimitedFolder): Promise<void> {
  const buffer = Buffer.alloc(BUFFER_BYTES);
  for (;;) {
    // It fails when the file system was unmounted.
    const read = await device.read(buffer, 0, BUFFER_BYTES, null).catch(() => undefined);
    if (!read) return;
    const unique = buffer.readBigUInt64LE(8);
    const request = { node: buffer.readBigUInt64LE(16), body: buffer.subarray(HEADER_BYTES, read.bytesRead) };
    const answer = folder.answer(buffer.readUInt32LE(4), request);
    if (answer === undefined) continue;
    const [error, content] = typeof answer === "number" ? [-answer, Buffer.alloc(0)] : [0, answer];
    const header = Buffer.alloc(16);
    header.writeUInt32LE(16 + content.length, 0);
    header.writeInt32LE(error, 4);
    header.writeBigUInt64LE(unique, 8);
    await device.write(Buffer.concat([header, content])).catch(() => undefined);
  }
}

/** The file system: one folder. The numbers of the operations and the layouts are those of linux/fuse.h. */
class LimitedFolder {
  readonly #nodes = new Map<bigint, Node>();
  readonly #maxBytes: number;
  #newest = ROOT;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Undefined for a request that has no answer. */
  answer(operation: number, request: Request): Answer {
    const { node, body } = request;
    switch (operation) {
      case 1: // LOOKUP
        return this.#entry(this.#find(text(body)));
      case 2: // FORGET
      case 42: // BATCH_FORGET
        return undefined;
      case 3: // GETATTR
        return Buffer.concat([Buffer.alloc(16), this.#attributes(node)]);
      case 4: // SETATTR
        return this.#setAttributes(request);
      case 10: // UNLINK
        return this.#rename(text(body), undefined);
      case 12: // RENAME
        return this.#rename(...names(body.subarray(8)));
      case 14: // OPEN
      case 27: // OPENDIR
        return Buffer.alloc(16);
      case 15: // READ
        return this.#read(request);
      case 16: // WRITE
        return this.#write(request);
      case 17: // STATFS
        return statistics();
      case 18: // RELEASE
      case 25: // FLUSH
      case 29: // RELEASEDIR
        return Buffer.alloc(0);
      case 20: // FSYNC
      case 30: // FSYNCDIR
      case 45: // RENAME2, which only calls with flags use
        return EINVAL;
      case 26: // INIT
        return initialisation();
      case 28: // READDIR
        return this.#list(Number(body.readBigUInt64LE(8)));
      case 35: // CREATE
        return this.#create(text(body.subarray(16)));
      default:
        return ENOSYS;
    }
  }

  #find(name: string): Node | undefined {
    return [...this.#nodes.values()].find((node) => node.name === name);
  }

  #create(name: string): Answer {
    if (this.#find(name)) return EEXIST;
    const node = { id: ++this.#newest, name, content: Buffer.alloc(0) };
    this.#nodes.set(node.id, node);
    return Buffer.concat([this.#entry(node) as Buffer, Buffer.alloc(16)]);
  }

  #rename(from: string, to: string | undefined): Answer {
    const node = this.#find(from);
    if (!node) return ENOENT;
    const replaced = to === undefined ? undefined : this.#find(to);
    if (replaced) replaced.name = undefined;
    node.name = to;
    return Buffer.alloc(0);
  }

  #setAttributes({ node, body }: Request): Answer {
    const changesOwnerOrMode = (body.readUInt32LE(0) & 7) !== 0;
    if (changesOwnerOrMode) return ENOSYS;
    const found = this.#nodes.get(node);
    const size = Number(body.readBigUInt64LE(16));
    const changesSize = (body.readUInt32LE(0) & 8) !== 0;
    if (found && changesSize)
      found.content = Buffer.concat([found.content, Buffer.alloc(size)]).subarray(0, size);
    return Buffer.concat([Buffer.alloc(16), this.#attributes(node)]);
  }

  #read({ node, body }: Request): Answer {
    const offset = Number(body.readBigUInt64LE(8));
    return this.#nodes.get(node)?.content.subarray(offset, offset + body.readUInt32LE(16)) ?? ENOENT;
  }

  #write({ node, body }: Request): Answer {
    const found = this.#nodes.get(node);
    if (!found) return ENOENT;
    const offset = Number(body.readBigUInt64LE(8));
    const size = body.readUInt32LE(16);
    if (offset + size > this.#maxBytes) return EFBIG;
    const before = Buffer.concat([found.content, Buffer.alloc(Math.max(0, offset - found.content.length))]);
    const data = body.subarray(40, 40 + size);
    found.content = Buffer.concat([before.subarray(0, offset), data, before.subarray(offset + size)]);
    const answer = Buffer.alloc(8);
    answer.writeUInt32LE(size, 0);
    return answer;
  }

  #list(offset: number): Answer {
    const named = [...this.#nodes.values()].filter(({ name }) => name !== undefined);
    const entries = named.map(({ id, name = "" }, index) => {
      const entry = Buffer.alloc(24 + Math.ceil(Buffer.byteLength(name) / 8) * 8);
      entry.writeBigUInt64LE(id, 0);
      entry.writeBigUInt64LE(BigInt(index + 1), 8);
      entry.writeUInt32LE(Buffer.byteLength(name), 16);
      entry.write(name, 24);
      return entry;
    });
    return Buffer.concat(entries.slice(offset));
  }

  #entry(node: Node | undefined): Answer {
    if (!node) return ENOENT;
    const entry = Buffer.alloc(40);
    entry.writeBigUInt64LE(node.id, 0);
    return Buffer.concat([entry, this.#attributes(node.id)]);
  }

  #attributes(id: bigint): Buffer {
    const attributes = Buffer.alloc(88);
    attributes.writeBigUInt64LE(id, 0);
    attributes.writeBigUInt64LE(BigInt(this.#nodes.get(id)?.content.length ?? 0), 8);
    attributes.writeUInt32LE(id === ROOT ? FOLDER : REGULAR, 60);
    attributes.writeUInt32LE(1, 64);
    attributes.writeUInt32LE(4096, 80);
    return attributes;
  }
}

function initialisation(): Buffer {
  const answer = Buffer.alloc(64);
  answer.writeUInt32LE(7, 0);
  answer.writeUInt32LE(31, 4);
  answer.writeUInt32LE(MAX_WRITE, 20);
  return answer;
}

function statistics(): Buffer {
  const answer = Buffer.alloc(80);
  for (const offset of [0, 8, 16]) answer.writeBigUInt64LE(1_000_000n, offset);
  for (const offset of [40, 48]) answer.writeUInt32LE(4096, offset);
  answer.writeUInt32LE(255, 44);
  return answer;
}

function text(body: Buffer): string {
  return body.toString("utf8", 0, body.indexOf(0));
}

function names(body: Buffer): [string, string] {
  const first = text(body);
  return [first, text(body.subarray(Buffer.byteLength(first) + 1))];
}
