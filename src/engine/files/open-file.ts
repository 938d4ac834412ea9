import type { NodeOwner } from "./file-session.ts";
import { SFTP_REQUEST } from "./sftp-connection.ts";
import type { PacketReader, PacketWriter } from "./sftp-packet.ts";

export const ATTRIBUTE = { size: 1, owner: 2, mode: 4, times: 8 } as const;
/** Every SFTP server sends this much in one packet. */
const READ_BYTES = 32 * 1024;
/** The engines' server takes up to 256 KiB in one packet. */
const WRITE_BYTES = 128 * 1024;
/** How many requests are under way at the same time, so that none waits for the answer to the one before. */
const WINDOW = 16;

type Fill = (packet: PacketWriter) => void;
type Request = (kind: number, fill: Fill) => Promise<PacketReader | undefined>;

/** An open file of an instance. What is not closed is closed with its session. */
export class OpenFile {
  readonly #handle: Buffer;
  readonly #request: Request;

  constructor(handle: Buffer, request: Request) {
    this.#handle = handle;
    this.#request = request;
  }

  /** One byte or more from a position on, as many as fit into one packet; undefined at the end of the file. */
  async read(position: number): Promise<Buffer | undefined> {
    const fill: Fill = (packet) => packet.bytes(this.#handle).uint64(position).uint32(READ_BYTES);
    const answer = await this.#request(SFTP_REQUEST.read, fill);
    const bytes = answer?.bytes();
    // Who asks again and again would never get on.
    return bytes?.length ? bytes : undefined;
  }

  /** The first `size` bytes in order, or as many as there are. Reads ahead of whoever takes them. */
  async *content(size: number): AsyncGenerator<Buffer, void, void> {
    const ahead: Promise<Buffer | undefined>[] = [];
    let asked = 0;
    try {
      for (let position = 0; position < size; ) {
        for (; asked < size && ahead.length < WINDOW; asked += READ_BYTES) {
          const reading = this.read(asked);
          reading.catch(() => undefined);
          ahead.push(reading);
        }
        const chunk = await ahead.shift();
        if (!chunk) return;
        yield chunk.subarray(0, size - position);
        position += chunk.length;
        // A short answer leaves a gap before what was asked for meanwhile.
        if (position < Math.min(asked - ahead.length * READ_BYTES, size)) {
          await Promise.allSettled(ahead.splice(0));
          asked = position;
        }
      }
    } finally {
      await Promise.allSettled(ahead);
    }
  }

  /** Writes all bytes at a position. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    const starts = Array.from(
      { length: Math.ceil(bytes.length / WRITE_BYTES) },
      (_, index) => index * WRITE_BYTES,
    );
    await Promise.all(
      starts.map((start) =>
        this.#request(SFTP_REQUEST.write, (packet) =>
          packet
            .bytes(this.#handle)
            .uint64(position + start)
            .bytes(bytes.subarray(start, start + WRITE_BYTES)),
        ),
      ),
    );
  }

  async setOwner(owner: NodeOwner): Promise<void> {
    await setOwnership((fill) => this.#request(SFTP_REQUEST.fsetstat, fill), this.#handle, owner);
  }

  /** Sets the time of the last change, in seconds since 1970. Only once all writes are done. */
  async setModified(seconds: number): Promise<void> {
    await this.#request(SFTP_REQUEST.fsetstat, (packet) =>
      packet.bytes(this.#handle).uint32(ATTRIBUTE.times).uint32(seconds).uint32(seconds),
    );
  }

  async close(): Promise<void> {
    await this.#request(SFTP_REQUEST.close, (packet) => packet.bytes(this.#handle));
  }
}

/** Sets mode and owner in two requests, because the engines' server confuses them in one. */
export async function setOwnership(
  set: (fill: Fill) => Promise<unknown>,
  place: Buffer,
  { uid, gid, mode }: NodeOwner,
): Promise<void> {
  await Promise.all([
    set((packet) =>
      packet
        .bytes(place)
        .uint32(ATTRIBUTE.mode)
        .uint32(mode & 0o777),
    ),
    set((packet) => packet.bytes(place).uint32(ATTRIBUTE.owner).uint32(uid).uint32(gid)),
  ]);
}
