import type { Duplex } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import { PacketReader, PacketWriter } from "./sftp-packet.ts";

/** The types of requests (SFTP version 3, draft-ietf-secsh-filexfer-02). */
export const SFTP_REQUEST = {
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  stat: 17,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

export const SFTP_RESPONSE = {
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 201,
} as const;

/** The codes of a status response. */
export const SFTP_STATUS = { done: 0, end: 1, missing: 2 } as const;

export interface SftpResponse {
  readonly kind: number;
  /** The rest of the packet after the id of the request. */
  readonly body: PacketReader;
}

const INIT = 1;
const VERSION = 2;
/** No response is larger: data arrive in chunks of 32 KiB, names of a directory 128 at a time. */
const MAX_PACKET_BYTES = 1024 * 1024;

/** SFTP over a stream. Responses may arrive in any order. */
export class SftpConnection implements Disposable {
  readonly #stream: Duplex;
  readonly #waiting = new Map<number, PromiseWithResolvers<SftpResponse>>();
  readonly #greeting = Promise.withResolvers<void>();
  #received: Buffer = Buffer.alloc(0);
  #lastId = 0;
  #broken: unknown;

  private constructor(stream: Duplex, signal: AbortSignal) {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("error", (error) => this.#end(signal.aborted ? signal.reason : lost(error)));
    stream.once("close", () => this.#end(signal.aborted ? signal.reason : lost()));
    this.#greeting.promise.catch(() => undefined);
  }

  /** Exchanges the versions. The connection owns the stream from then on; `signal` is the one that ends it. */
  static async open(stream: Duplex, signal: AbortSignal): Promise<SftpConnection> {
    const connection = new SftpConnection(stream, signal);
    stream.write(new PacketWriter().byte(INIT).uint32(3).toBuffer());
    try {
      await connection.#greeting.promise;
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether a request waits for its response. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Throws `unavailable` when the connection is lost. */
  async request(kind: number, fill: (packet: PacketWriter) => void): Promise<SftpResponse> {
    if (this.#broken) throw this.#broken;
    const id = ++this.#lastId;
    const packet = new PacketWriter().byte(kind).uint32(id);
    fill(packet);
    const waiting = Promise.withResolvers<SftpResponse>();
    this.#waiting.set(id, waiting);
    this.#stream.write(packet.toBuffer());
    return waiting.promise;
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    try {
      while (this.#received.length >= 4) {
        const end = 4 + this.#received.readUInt32BE();
        if (end > MAX_PACKET_BYTES)
          throw new TremplinError("failed", "the engine sent an SFTP packet that is too large");
        if (this.#received.length < end) return;
        this.#deliver(new PacketReader(this.#received.subarray(4, end)));
        this.#received = this.#received.subarray(end);
      }
    } catch (error) {
      this.#stream.destroy(error as Error);
    }
  }

  #deliver(body: PacketReader): void {
    const kind = body.byte();
    if (kind === VERSION) {
      this.#greeting.resolve();
      return;
    }
    const id = body.uint32();
    this.#waiting.get(id)?.resolve({ kind, body });
    this.#waiting.delete(id);
  }

  #end(reason: unknown): void {
    this.#broken ??= reason;
    this.#greeting.reject(this.#broken);
    for (const waiting of this.#waiting.values()) waiting.reject(this.#broken);
    this.#waiting.clear();
  }
}

function lost(error?: Error): TremplinError {
  if (error instanceof TremplinError) return error;
  const why = error ? `: ${error.message}` : "";
  return new TremplinError("unavailable", `the engine closed the connection to the files${why}`, error);
}
