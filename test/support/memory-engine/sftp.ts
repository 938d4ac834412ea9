import type { Duplex } from "node:stream";
import { SFTP_REQUEST, SFTP_RESPONSE, SFTP_STATUS } from "../../../src/engine/files/sftp-connection.ts";
import { PacketReader, PacketWriter } from "../../../src/engine/files/sftp-packet.ts";
import type { FileNode, FileTree } from "./file-tree.ts";

const init = 1;
const version = 2;
const failure = 4;
const types = { file: 0o100000, directory: 0o040000, symlink: 0o120000, pipe: 0o010000 };
const has = { size: 1, owner: 2, mode: 4, times: 8 };
const CREATE = 8;
const EXCLUSIVE = 0x20;

/** Fills the packet that answers a request; a number is a status, a text the words of a failure. */
type Answer = number | string | ((answer: (kind: number) => PacketWriter) => PacketWriter);
type Serve = (place: string, packet: PacketReader) => Answer;

interface Handle {
  readonly path: string;
  /** Whether the entries of the folder were given already. */
  isRead: boolean;
}

/** Serves the files of one instance over SFTP (version 3), as far as a file session asks for it. */
export class SftpServer {
  readonly #tree: FileTree;
  readonly #stream: Duplex;
  readonly #handles = new Map<string, Handle>();
  /** By the kind of the request; each gets the first text of the packet: a path, or a handle. */
  readonly #requests: Readonly<Record<number, Serve>> = {
    [SFTP_REQUEST.lstat]: (path) => attributesAnswer(this.#tree.get(path)),
    [SFTP_REQUEST.stat]: (path) => attributesAnswer(this.#tree.behindLinks(path)),
    [SFTP_REQUEST.open]: (path, packet) => this.#open(path, packet.uint32()),
    [SFTP_REQUEST.opendir]: (path) =>
      this.#tree.get(path)?.type === "directory" ? this.#handle(path) : SFTP_STATUS.missing,
    [SFTP_REQUEST.close]: (handle) => (this.#handles.delete(handle) ? SFTP_STATUS.done : failure),
    [SFTP_REQUEST.read]: (handle, packet) => this.#read(handle, packet.uint64(), packet.uint32()),
    [SFTP_REQUEST.write]: (handle, packet) => this.#write(handle, packet.uint64(), packet.bytes()),
    [SFTP_REQUEST.readdir]: (handle) => this.#list(handle),
    [SFTP_REQUEST.setstat]: (path, packet) => this.#set(path, packet),
    [SFTP_REQUEST.fsetstat]: (handle, packet) => this.#set(this.#path(handle), packet),
    [SFTP_REQUEST.remove]: (path) => this.#remove(path),
    [SFTP_REQUEST.rmdir]: (path) => this.#remove(path),
    [SFTP_REQUEST.mkdir]: (path) => {
      if (this.#tree.get(path)) return "file exists";
      this.#tree.makeFolder(path);
      return SFTP_STATUS.done;
    },
    [SFTP_REQUEST.readlink]: (path) => {
      const target = this.#tree.get(path)?.content.toString();
      if (target === undefined) return SFTP_STATUS.missing;
      return (answer) => answer(SFTP_RESPONSE.name).uint32(1).text(target);
    },
    [SFTP_REQUEST.symlink]: (target, packet) => {
      this.#tree.link(packet.text(), target);
      return SFTP_STATUS.done;
    },
    [SFTP_REQUEST.extended]: (extension, packet) =>
      extension.startsWith("statvfs") ? this.#space() : this.#rename(packet.text(), packet.text()),
  };
  #received = Buffer.alloc(0);
  #lastHandle = 0;

  private constructor(tree: FileTree, stream: Duplex) {
    this.#tree = tree;
    this.#stream = stream;
  }

  /** Answers what comes over the stream, and behind what came already. */
  static serve(tree: FileTree, stream: Duplex, head: Buffer): void {
    const server = new SftpServer(tree, stream);
    stream.on("error", () => undefined);
    stream.on("data", (chunk: Buffer) => server.#take(chunk));
    server.#take(head);
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readUInt32BE();
      if (this.#received.length < end) return;
      this.#answer(new PacketReader(this.#received.subarray(4, end)));
      this.#received = this.#received.subarray(end);
    }
  }

  #answer(packet: PacketReader): void {
    const kind = packet.byte();
    const id = packet.uint32();
    if (kind === init) {
      this.#stream.write(new PacketWriter().byte(version).uint32(3).toBuffer());
      return;
    }
    const begin = (kind: number) => new PacketWriter().byte(kind).uint32(id);
    const answer = this.#requests[kind]?.(packet.text(), packet) ?? failure;
    if (typeof answer === "string") {
      const refused = begin(SFTP_RESPONSE.status).uint32(failure).text(answer).text("");
      this.#stream.write(refused.toBuffer());
      return;
    }
    const words = answer === SFTP_STATUS.missing ? "file does not exist" : `request ${kind} failed`;
    const filled =
      typeof answer === "number"
        ? begin(SFTP_RESPONSE.status).uint32(answer).text(words).text("")
        : answer(begin);
    this.#stream.write(filled.toBuffer());
  }

  #open(path: string, flags: number): Answer {
    if ((flags & CREATE) !== 0 && this.#tree.isReadOnly) return "read-only file system";
    if ((flags & EXCLUSIVE) !== 0 && this.#tree.get(path)) return "file exists";
    if ((flags & CREATE) !== 0) this.#tree.write(path, "");
    return this.#tree.behindLinks(path)?.type === "file" ? this.#handle(path) : SFTP_STATUS.missing;
  }

  #handle(path: string): Answer {
    const handle = `handle ${++this.#lastHandle}`;
    this.#handles.set(handle, { path, isRead: false });
    return (answer) => answer(SFTP_RESPONSE.handle).text(handle);
  }

  #path(handle: string): string {
    return this.#handles.get(handle)?.path ?? "";
  }

  #read(handle: string, start: number, length: number): Answer {
    const part = this.#tree.behindLinks(this.#path(handle))?.content.subarray(start, start + length);
    return part?.length ? (answer) => answer(SFTP_RESPONSE.data).bytes(part) : SFTP_STATUS.end;
  }

  #write(handle: string, start: number, bytes: Buffer): Answer {
    const node = this.#tree.get(this.#path(handle));
    if (!node) return SFTP_STATUS.missing;
    if (bytes.length > this.#tree.free) return "no space left on device";
    this.#tree.free -= bytes.length;
    const content = Buffer.concat([node.content.subarray(0, start), bytes]);
    this.#tree.set(this.#path(handle), { ...node, content });
    return SFTP_STATUS.done;
  }

  #set(path: string, packet: PacketReader): Answer {
    const node = this.#tree.get(path);
    if (!node) return SFTP_STATUS.missing;
    this.#tree.set(path, { ...node, ...attributesOf(packet) });
    return SFTP_STATUS.done;
  }

  #rename(path: string, newPath: string): Answer {
    const [from, to] = [this.#tree.get(path), this.#tree.get(newPath)];
    if (to?.type === "directory" && from?.type !== "directory") return "file exists";
    return this.#tree.rename(path, newPath) ? SFTP_STATUS.done : SFTP_STATUS.missing;
  }

  #space(): Answer {
    const { free, isReadOnly } = this.#tree;
    const numbers = [1, 1, 2 * free, free, free, 0, 0, 0, 0, isReadOnly ? 1 : 0, 255];
    return (answer) => numbers.reduce((packet, each) => packet.uint64(each), answer(SFTP_RESPONSE.extended));
  }

  #remove(path: string): Answer {
    if (!this.#tree.get(path)) return SFTP_STATUS.missing;
    this.#tree.delete(path);
    return SFTP_STATUS.done;
  }

  #list(place: string): Answer {
    const handle = this.#handles.get(place);
    if (!handle || handle.isRead) return SFTP_STATUS.end;
    handle.isRead = true;
    return (answer) => {
      const names = this.#tree.names(handle.path);
      const packet = answer(SFTP_RESPONSE.name).uint32(names.length);
      for (const name of names) {
        const node = this.#tree.get(`${handle.path}/${name}`);
        if (node) attributes(packet.text(name).text(name), node);
      }
      return packet;
    };
  }
}

function attributesAnswer(node: FileNode | undefined): Answer {
  return node ? (answer) => attributes(answer(SFTP_RESPONSE.attributes), node) : SFTP_STATUS.missing;
}

function attributes(packet: PacketWriter, node: FileNode): PacketWriter {
  const { type, content, uid, gid, mode, modified = 0 } = node;
  return packet
    .uint32(has.size | has.owner | has.mode | has.times)
    .uint64(content.length)
    .uint32(uid)
    .uint32(gid)
    .uint32(types[type] | mode)
    .uint32(0)
    .uint32(modified);
}

function attributesOf(packet: PacketReader): Partial<FileNode> {
  const flags = packet.uint32();
  if (flags === has.mode) return { mode: packet.uint32() };
  if (flags === has.times) return { modified: [packet.uint32(), packet.uint32()][1] ?? 0 };
  return { uid: packet.uint32(), gid: packet.uint32() };
}
