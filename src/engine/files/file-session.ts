import { setTimeout as delay } from "node:timers/promises";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import { apiPath } from "../http/api-path.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineAddress } from "../http/engine-address.ts";
import { openUpgraded } from "../http/engine-upgrade.ts";
import type { FileHelper } from "./file-helper.ts";
import { ATTRIBUTE, OpenFile, setOwnership } from "./open-file.ts";
import { SFTP_REQUEST, SFTP_RESPONSE, SFTP_STATUS, SftpConnection } from "./sftp-connection.ts";
import type { PacketReader, PacketWriter } from "./sftp-packet.ts";

/** What exists at a path, with the ids and the mode (permissions only) that the instance sees. */
export interface NodeInfo {
  /** `special` means pipes, sockets and devices. */
  readonly type: "file" | "directory" | "symlink" | "special";
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** When its content was changed, in seconds since 1970. */
  readonly modified: number;
}

export interface NodeOwner {
  readonly uid: number;
  readonly gid: number;
  /** Permissions only. */
  readonly mode: number;
}

/** Something in a directory. */
export interface FolderEntry extends NodeInfo {
  readonly name: string;
}

export interface FileSessionOptions extends CallOptions {
  /** For the whole session. Default 8 s. */
  readonly timeoutMs?: number;
  /** Instead: for each answer of the engine, as for a session that copies any number of files. */
  readonly stallMs?: number;
}

/** The space of the file system at a path, in bytes. */
export interface FreeSpace {
  readonly free: number;
  readonly total: number;
  readonly isReadOnly: boolean;
}

const FILE_TYPES = new Map<number, NodeInfo["type"]>([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
]);
const OPEN_FLAG = { read: 1, write: 2, create: 8, exclusive: 0x20 } as const;

/**
 * A session for several accesses to the files of one instance, running or stopped, over one connection (the engine's
 * SFTP). It is fast, distinguishes special files from regular ones, so that it never opens a special one, replaces
 * files by renaming, and can change owners. The engine confines every path to the instance; links are followed inside
 * the instance, except as the last part of a path. Paths and names are bytes, one character for each (latin1).
 *
 * The session has a time limit, at which a hanging access is interrupted (see FileHelper). Errors are `not-found` if
 * nothing exists at the path, `failed` with the engine's message, `unavailable` for a lost connection, `timed-out` for a
 * stall.
 */
export class FileSession implements Disposable {
  readonly #instance: string;
  readonly #connection: SftpConnection;
  readonly #limit: TimeLimit;
  /** Restarts the limit while nothing is awaited; undefined where the limit is for the whole session. */
  readonly #whileIdle: NodeJS.Timeout | undefined;

  private constructor(instance: string, connection: SftpConnection, limit: TimeLimit, stallMs?: number) {
    this.#instance = instance;
    this.#connection = connection;
    this.#limit = limit;
    const restart = (): void => {
      if (!connection.isBusy) limit.restart();
    };
    if (stallMs !== undefined) this.#whileIdle = setInterval(restart, stallMs / 4).unref();
  }

  /** Throws `not-found` if the instance does not exist. */
  static async open(
    address: EngineAddress,
    helper: FileHelper,
    instance: string,
    { signal, stallMs, timeoutMs = stallMs ?? 8_000 }: FileSessionOptions = {},
  ): Promise<FileSession> {
    const late = () =>
      new TremplinError(
        stallMs === undefined ? "failed" : "timed-out",
        `the files of ${instance} could not be read or written within ${timeoutMs / 1000} s`,
      );
    const limit = new TimeLimit(timeoutMs, late, [signal]);
    let connection: SftpConnection | undefined;
    limit.signal.addEventListener("abort", () => {
      if (!connection || connection.isBusy) helper.kill(instance);
      connection?.[Symbol.dispose]();
    });
    try {
      connection = await connect(address, instance, limit.signal);
      return new FileSession(instance, connection, limit, stallMs);
    } catch (error) {
      limit[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#whileIdle);
    this.#limit[Symbol.dispose]();
    this.#connection[Symbol.dispose]();
  }

  async lstat(path: string): Promise<NodeInfo> {
    return infoOf(await this.#request(path, SFTP_REQUEST.lstat, (packet) => packet.text(path)));
  }

  /** Follows links. */
  async stat(path: string): Promise<NodeInfo> {
    return infoOf(await this.#request(path, SFTP_REQUEST.stat, (packet) => packet.text(path)));
  }

  async readlink(path: string): Promise<string> {
    const answer = await this.#request(path, SFTP_REQUEST.readlink, (packet) => packet.text(path));
    answer.uint32();
    return answer.text();
  }

  /** Reads a regular file, links followed. Throws `failed` for anything else, and beyond `maxBytes`. */
  async read(path: string, maxBytes: number): Promise<Buffer> {
    const { type, size } = await this.stat(path);
    if (type !== "file") throw this.#error(path, `it is a ${type}, not a plain file`);
    const tooLarge = () => this.#error(path, `it is larger than ${maxBytes} bytes`);
    if (size > maxBytes) throw tooLarge();
    const file = await this.openRead(path);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const chunk = await file.read(bytes);
      if (!chunk) break;
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
    }
    await file.close();
    return Buffer.concat(chunks);
  }

  /** Opens a file to be read, links followed. Only for what is known to be a regular file: a pipe hangs. */
  async openRead(path: string): Promise<OpenFile> {
    return await this.#open(path, OPEN_FLAG.read);
  }

  /** Makes a file to be written. Until it gets an owner only root can read it. Throws `failed` if something is there. */
  async openNew(path: string): Promise<OpenFile> {
    return await this.#open(path, OPEN_FLAG.write | OPEN_FLAG.create | OPEN_FLAG.exclusive);
  }

  /** The entries of a directory, links not followed. Throws `failed` for more than `most`. */
  async list(path: string, most: number): Promise<FolderEntry[]> {
    const entries: FolderEntry[] = [];
    for await (const page of this.pages(path)) {
      entries.push(...page);
      if (entries.length > most) throw this.#error(path, `it holds more than ${most} files`);
    }
    return entries;
  }

  /** The entries of a directory as they come, some at a time, links not followed. */
  async *pages(path: string): AsyncGenerator<FolderEntry[], void, void> {
    const opened = await this.#request(path, SFTP_REQUEST.opendir, (packet) => packet.text(path));
    const handle = opened.bytes();
    try {
      for (;;) {
        const answer = await this.#requestOrEnd(path, SFTP_REQUEST.readdir, (packet) => packet.bytes(handle));
        if (!answer) return;
        const page: FolderEntry[] = [];
        for (let left = answer.uint32(); left > 0; left--) {
          const name = answer.text();
          answer.text();
          page.push({ name, ...infoOf(answer) });
        }
        yield page.filter(({ name }) => name !== "." && name !== "..");
      }
    } finally {
      await this.#request(path, SFTP_REQUEST.close, (packet) => packet.bytes(handle));
    }
  }

  /** How much fits into the file system at a path; undefined where the engine cannot say. */
  async freeSpace(path: string): Promise<FreeSpace | undefined> {
    const asked = this.#request(path, SFTP_REQUEST.extended, (packet) =>
      packet.text("statvfs@openssh.com").text(path),
    );
    const answer = await asked.catch((error) => {
      if (TremplinError.from(error).code !== "failed") throw error;
    });
    if (!answer) return undefined;
    answer.uint64();
    const block = answer.uint64();
    const blocks = answer.uint64();
    // Of its free blocks, those that are not kept for root come after those that are.
    answer.uint64();
    const available = answer.uint64();
    for (let skipped = 0; skipped < 4; skipped++) answer.uint64();
    return { free: block * available, total: block * blocks, isReadOnly: (answer.uint64() & 1) === 1 };
  }

  /** Writes a new file. Until it is complete only its new owner can read it. */
  async create(path: string, content: Uint8Array, owner: NodeOwner): Promise<void> {
    const file = await this.openNew(path);
    await file.setOwner(owner);
    await file.write(content, 0);
    await file.close();
  }

  async mkdir(path: string, owner: NodeOwner): Promise<void> {
    await this.#request(path, SFTP_REQUEST.mkdir, (packet) => packet.text(path).uint32(0));
    await this.setOwner(path, owner);
  }

  /** Follows links: only for paths that are known to be no link. */
  async setOwner(path: string, owner: NodeOwner): Promise<void> {
    const place = Buffer.from(path, "latin1");
    await setOwnership((fill) => this.#request(path, SFTP_REQUEST.setstat, fill), place, owner);
  }

  /** The link belongs to root, because the engine cannot change the owner of links. */
  async symlink(path: string, target: string): Promise<void> {
    await this.#request(path, SFTP_REQUEST.symlink, (packet) => packet.text(target).text(path));
  }

  /** Replaces an existing file atomically. */
  async rename(path: string, newPath: string): Promise<void> {
    await this.#request(path, SFTP_REQUEST.extended, (packet) =>
      packet.text("posix-rename@openssh.com").text(path).text(newPath),
    );
  }

  async remove(path: string): Promise<void> {
    await this.#request(path, SFTP_REQUEST.remove, (packet) => packet.text(path));
  }

  async rmdir(path: string): Promise<void> {
    await this.#request(path, SFTP_REQUEST.rmdir, (packet) => packet.text(path));
  }

  async #open(path: string, flags: number): Promise<OpenFile> {
    const answer = await this.#request(path, SFTP_REQUEST.open, (packet) =>
      packet.text(path).uint32(flags).uint32(0),
    );
    return new OpenFile(answer.bytes(), (kind, fill) => this.#requestOrEnd(path, kind, fill));
  }

  async #request(path: string, kind: number, fill: (packet: PacketWriter) => void): Promise<PacketReader> {
    const answer = await this.#requestOrEnd(path, kind, fill);
    if (!answer) throw this.#error(path, "it ended too early");
    return answer;
  }

  /** Sends a request. Undefined at the end of a file or a directory. */
  async #requestOrEnd(
    path: string,
    kind: number,
    fill: (packet: PacketWriter) => void,
  ): Promise<PacketReader | undefined> {
    const answer = await this.#connection.request(kind, fill);
    if (this.#whileIdle) this.#limit.restart();
    if (answer.kind !== SFTP_RESPONSE.status) return answer.body;
    const status = answer.body.uint32();
    if (status === SFTP_STATUS.done) return answer.body;
    if (status === SFTP_STATUS.end) return undefined;
    const message = answer.body.text();
    throw this.#error(path, message, status === SFTP_STATUS.missing ? "not-found" : "failed");
  }

  #error(path: string, message: string, code: "not-found" | "failed" = "failed"): TremplinError {
    return new TremplinError(code, `${path} in ${this.#instance}: ${message}`);
  }
}

/** Tries again when the engine's file server has just been killed because another access hung. */
async function connect(
  address: EngineAddress,
  instance: string,
  signal: AbortSignal,
): Promise<SftpConnection> {
  const path = `${apiPath("instances", instance)}/sftp`;
  for (let wait = 20; ; wait *= 2) {
    try {
      return await SftpConnection.open(await openUpgraded(address, path, "sftp", signal), signal);
    } catch (error) {
      const isLost = isUnavailable(error) && !signal.aborted;
      if (!isLost || wait > 320) throw error;
      await delay(wait);
    }
  }
}

function infoOf(answer: PacketReader): NodeInfo {
  const flags = answer.uint32();
  const size = flags & ATTRIBUTE.size ? answer.uint64() : 0;
  const [uid, gid] = flags & ATTRIBUTE.owner ? [answer.uint32(), answer.uint32()] : [0, 0];
  const mode = flags & ATTRIBUTE.mode ? answer.uint32() : 0;
  const times = flags & ATTRIBUTE.times ? answer.uint64() : 0;
  // The time of the last access is in the upper half.
  const modified = times % 2 ** 32;
  return {
    type: FILE_TYPES.get(mode & 0o170000) ?? "special",
    size,
    uid,
    gid,
    mode: mode & 0o7777,
    modified,
  };
}
