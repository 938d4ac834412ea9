import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { VsockAddress } from "./socket-address.ts";

/** A stream to a vsock address that is there at once and connects before anything is read or written. */
export class VsockStream extends Duplex {
  readonly #address: VsockAddress;
  readonly #ending = new AbortController();
  #socket: Socket | undefined;

  constructor(address: VsockAddress) {
    super({ allowHalfOpen: true });
    this.#address = address;
  }

  override _construct(done: (error?: Error) => void): void {
    this.#connect().then(() => done(), done);
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket?.write(chunk, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket?.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#ending.abort(error);
    this.#socket?.destroy();
    done(error);
  }

  async #connect(): Promise<void> {
    // What makes calls of the C library is loaded by those alone who need it.
    const { connectVsock } = await import("./connect-vsock.ts");
    const socket = await connectVsock(this.#address, this.#ending.signal);
    this.#socket = socket;
    socket.on("data", (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }
}
