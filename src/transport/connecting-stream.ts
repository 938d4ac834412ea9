import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** Connects a socket on which each side ends by itself, or throws why not. */
export type Connect = (signal: AbortSignal) => Promise<Socket>;

/**
 * A stream that is there at once and connects before anything is read or written. Only that connecting failed is an
 * error of it. A connection that is lost later just closes: whoever used it hears that, and may have gone already,
 * when an error would be nobody's and end the process.
 */
export class ConnectingStream extends Duplex {
  readonly #open: Connect;
  readonly #ending = new AbortController();
  #socket: Socket | undefined;

  constructor(connect: Connect) {
    super({ allowHalfOpen: true });
    this.#open = connect;
  }

  override _construct(done: (error?: Error) => void): void {
    this.#connect().then(
      () => done(),
      (error) => done(this.#ending.signal.aborted ? undefined : error),
    );
  }

  override destroy(error?: Error): this {
    this.#ending.abort(error);
    return super.destroy(error);
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket?.write(chunk, encoding, (error) => {
      if (error) this.destroy();
      done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket?.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket?.destroy();
    done(error);
  }

  async #connect(): Promise<void> {
    const socket = await this.#open(this.#ending.signal);
    this.#socket = socket;
    socket.on("data", (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }
}
