import { setTimeout as delay } from "node:timers/promises";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { apiPath } from "../http/api-path.ts";
import type { EngineAddress } from "../http/engine-address.ts";
import { openUpgraded } from "../http/engine-upgrade.ts";
import type { Options } from "../http/options.ts";
import type { FileHelper } from "./file-helper.ts";
import { SftpConnection, sftpAnswer, sftpRequest, sftpStatus } from "./sftp-connection.ts";
import type { PacketReader, PacketWriter } from "./sftp-packet.ts";

/** What lies at a path, with ids and mode (permissions only) as the instance sees them. */
export interface NodeInfo {
  /** `special` is all else: pipes, sockets, devices. */
  readonly type: "file" | "directory" | "symlink" | "special";
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface NodeOwner {
  readonly uid: number;
  readonly gid: number;
  /** Permissions only. */
  readonly mode: number;
}

export interface FileSessionOptions extends Options {
  /** Milliseconds from the first to the last access. Default 8 s. */
  readonly timeLimit?: number;
}

const types = new Map<number, NodeInfo["type"]>([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
]);
const openFlag = { read: 1, write: 2, create: 8, exclusive: 0x20 } as const;
const has = { size: 1, owner: 2, mode: 4, times: 8 } as const;
/** What every server of SFTP sends and takes in one packet. */
const chunkBytes = 32 * 1024;

/**
 * Several accesses to the files of one instance, running or stopped, over one connection (the engine's SFTP).
 * Besides being quick it tells special files from plain ones, so that none is ever opened, replaces by renaming, and
 * gives away what exists. The engine confines every path to the instance; a link in it is followed inside the
 * instance, except where it is the path's last part. Paths and names are bytes, one character for each (latin1).
 *
 * The whole has a limit in time; when it is up the access that hangs is cut off (see FileHelper). Errors are
 * `not-found` where nothing lies at the path, `failed` with the engine's words, `unavailable` for a lost connection.
 */
export class FileSession implements Disposable {
  readonly #instance: string;
  readonly #connection: SftpConnection;
  readonly #limit: TimeLimit;

  private constructor(instance: string, connection: SftpConnection, limit: TimeLimit) {
    this.#instance = instance;
    this.#connection = connection;
    this.#limit = limit;
  }

  /** Throws `not-found` if there is no such instance. */
  static async open(
    address: EngineAddress,
    helper: FileHelper,
    instance: string,
    { signal, timeLimit = 8_000 }: FileSessionOptions = {},
  ): Promise<FileSession> {
    const late = () =>
      new TremplinError(
        "failed",
        `the files of ${instance} could not be read or written within ${timeLimit / 1000} s`,
      );
    const limit = new TimeLimit(timeLimit, late, [signal]);
    let connection: SftpConnection | undefined;
    limit.signal.addEventListener("abort", () => {
      if (!connection || connection.isBusy) helper.kill(instance);
      connection?.[Symbol.dispose]();
    });
    try {
      connection = await connect(address, instance, limit.signal);
      return new FileSession(instance, connection, limit);
    } catch (error) {
      limit[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#limit[Symbol.dispose]();
    this.#connection[Symbol.dispose]();
  }

  async lstat(path: string): Promise<NodeInfo> {
    return infoOf(await this.#ask(path, sftpRequest.lstat, (packet) => packet.text(path)));
  }

  /** Of what a link means in the end. */
  async stat(path: string): Promise<NodeInfo> {
    return infoOf(await this.#ask(path, sftpRequest.stat, (packet) => packet.text(path)));
  }

  async readlink(path: string): Promise<string> {
    const answer = await this.#ask(path, sftpRequest.readlink, (packet) => packet.text(path));
    answer.uint32();
    return answer.text();
  }

  /** A whole plain file, or the one that a link means; throws `failed` for all else, and beyond `maxBytes`. */
  async read(path: string, maxBytes: number): Promise<Buffer> {
    const { type, size } = await this.stat(path);
    if (type !== "file") throw this.#error(path, `it is a ${type}, not a plain file`);
    const tooLarge = () => this.#error(path, `it is larger than ${maxBytes} bytes`);
    if (size > maxBytes) throw tooLarge();
    const handle = await this.#open(path, openFlag.read);
    const chunks: Buffer[] = [];
    for (let bytes = 0; ; ) {
      const start = bytes;
      const answer = await this.#askMore(path, sftpRequest.read, (packet) =>
        packet.bytes(handle).uint64(start).uint32(chunkBytes),
      );
      if (!answer) break;
      const chunk = answer.bytes();
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
    }
    await this.#close(path, handle);
    return Buffer.concat(chunks);
  }

  /** The entries of a directory, links not followed. Throws `failed` beyond `most`. */
  async list(path: string, most: number): Promise<(NodeInfo & { readonly name: string })[]> {
    const opened = await this.#ask(path, sftpRequest.opendir, (packet) => packet.text(path));
    const handle = opened.bytes();
    const entries: (NodeInfo & { name: string })[] = [];
    for (;;) {
      const answer = await this.#askMore(path, sftpRequest.readdir, (packet) => packet.bytes(handle));
      if (!answer) break;
      for (let left = answer.uint32(); left > 0; left--) {
        const name = answer.text();
        answer.text();
        entries.push({ name, ...infoOf(answer) });
      }
      if (entries.length > most) throw this.#error(path, `it holds more than ${most} files`);
    }
    await this.#close(path, handle);
    return entries.filter(({ name }) => name !== "." && name !== "..");
  }

  /** Writes a file that is not there yet; nobody but its owner-to-be can read it meanwhile. */
  async create(path: string, content: Uint8Array, owner: NodeOwner): Promise<void> {
    const handle = await this.#open(path, openFlag.write | openFlag.create | openFlag.exclusive);
    await this.#own(path, sftpRequest.fsetstat, handle, owner);
    for (let start = 0; start < content.length; start += chunkBytes) {
      await this.#ask(path, sftpRequest.write, (packet) =>
        packet
          .bytes(handle)
          .uint64(start)
          .bytes(content.subarray(start, start + chunkBytes)),
      );
    }
    await this.#close(path, handle);
  }

  async mkdir(path: string, owner: NodeOwner): Promise<void> {
    await this.#ask(path, sftpRequest.mkdir, (packet) => packet.text(path).uint32(0));
    await this.setOwner(path, owner);
  }

  /** Follows a link: only for what is known to be none. */
  async setOwner(path: string, owner: NodeOwner): Promise<void> {
    await this.#own(path, sftpRequest.setstat, Buffer.from(path, "latin1"), owner);
  }

  /** Of root, since the engine cannot give links away. */
  async symlink(path: string, target: string): Promise<void> {
    await this.#ask(path, sftpRequest.symlink, (packet) => packet.text(target).text(path));
  }

  /** At once, in the place of a file that is there. */
  async rename(path: string, newPath: string): Promise<void> {
    await this.#ask(path, sftpRequest.extended, (packet) =>
      packet.text("posix-rename@openssh.com").text(path).text(newPath),
    );
  }

  async remove(path: string): Promise<void> {
    await this.#ask(path, sftpRequest.remove, (packet) => packet.text(path));
  }

  async rmdir(path: string): Promise<void> {
    await this.#ask(path, sftpRequest.rmdir, (packet) => packet.text(path));
  }

  /** Mode and owner one after the other: the engines' server mixes them up when they come together. */
  async #own(path: string, kind: number, place: Buffer, { uid, gid, mode }: NodeOwner): Promise<void> {
    const permissions = mode & 0o777;
    await this.#ask(path, kind, (packet) => packet.bytes(place).uint32(has.mode).uint32(permissions));
    await this.#ask(path, kind, (packet) => packet.bytes(place).uint32(has.owner).uint32(uid).uint32(gid));
  }

  async #open(path: string, flags: number): Promise<Buffer> {
    const answer = await this.#ask(path, sftpRequest.open, (packet) =>
      packet.text(path).uint32(flags).uint32(0),
    );
    return answer.bytes();
  }

  async #close(path: string, handle: Buffer): Promise<void> {
    await this.#ask(path, sftpRequest.close, (packet) => packet.bytes(handle));
  }

  async #ask(path: string, kind: number, fill: (packet: PacketWriter) => void): Promise<PacketReader> {
    const answer = await this.#askMore(path, kind, fill);
    if (!answer) throw this.#error(path, "it ended too early");
    return answer;
  }

  /** What was answered; undefined at the end of a file or a directory. */
  async #askMore(
    path: string,
    kind: number,
    fill: (packet: PacketWriter) => void,
  ): Promise<PacketReader | undefined> {
    const answer = await this.#connection.request(kind, fill);
    if (answer.kind !== sftpAnswer.status) return answer.body;
    const status = answer.body.uint32();
    if (status === sftpStatus.done) return answer.body;
    if (status === sftpStatus.end) return undefined;
    const words = answer.body.text();
    throw this.#error(path, words, status === sftpStatus.missing ? "not-found" : "failed");
  }

  #error(path: string, words: string, code: "not-found" | "failed" = "failed"): TremplinError {
    return new TremplinError(code, `${path} in ${this.#instance}: ${words}`);
  }
}

/** Tries again where the engine's helper just dies: another access that hung had it killed. */
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
      const isLost = TremplinError.from(error).code === "unavailable" && !signal.aborted;
      if (!isLost || wait > 320) throw error;
      await delay(wait);
    }
  }
}

function infoOf(answer: PacketReader): NodeInfo {
  const flags = answer.uint32();
  const size = flags & has.size ? answer.uint64() : 0;
  const [uid, gid] = flags & has.owner ? [answer.uint32(), answer.uint32()] : [0, 0];
  const mode = flags & has.mode ? answer.uint32() : 0;
  if (flags & has.times) answer.uint64();
  return { type: types.get(mode & 0o170000) ?? "special", size, uid, gid, mode: mode & 0o7777 };
}
