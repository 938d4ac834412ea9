import { TremplinError } from "../../base/tremplin-error.ts";

/** Builds a packet of SFTP version 3: big-endian numbers, and strings after their length. */
export class PacketWriter {
  readonly #parts: Buffer[] = [];

  byte(value: number): this {
    this.#parts.push(Buffer.of(value));
    return this;
  }

  uint32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  uint64(value: number): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64BE(BigInt(value));
    this.#parts.push(part);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.uint32(value.length);
    this.#parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    return this;
  }

  /** One byte for each character (latin1), because the names of a container's files need not be UTF-8. */
  text(value: string): this {
    return this.bytes(Buffer.from(value, "latin1"));
  }

  /** The packet with its length in front, ready to be sent. */
  toBuffer(): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(this.#parts.reduce((sum, part) => sum + part.length, 0));
    return Buffer.concat([length, ...this.#parts]);
  }
}

/** Reads a received packet. Throws `failed` when it is too short. */
export class PacketReader {
  readonly #body: Buffer;
  #place = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  byte(): number {
    return this.#next(1).readUInt8();
  }

  uint32(): number {
    return this.#next(4).readUInt32BE();
  }

  uint64(): number {
    return Number(this.#next(8).readBigUInt64BE());
  }

  bytes(): Buffer {
    return this.#next(this.uint32());
  }

  text(): string {
    return this.bytes().toString("latin1");
  }

  #next(length: number): Buffer {
    const end = this.#place + length;
    if (end > this.#body.length) throw new TremplinError("failed", "the engine sent a broken SFTP packet");
    const part = this.#body.subarray(this.#place, end);
    this.#place = end;
    return part;
  }
}
