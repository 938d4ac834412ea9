import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** Connects a socket that supports half-open connections. */
export type Connect = (signal: AbortSignal) => Promise<Socket>;

/**
 * A stream that exists at once and connects before the first read or write. It has an error only if connecting failed,
 * or, with `refused`, if the other side closes before it has sent a byte. A connection that is lost later only closes:
 * its user may have gone, and an error without a listener would end the process.
 */
export class ConnectingStream extends Duplex {
  readonly #open: Connect;
  readonly #abort = new AbortController();
  #socket: Socket | undefined;
  #refused: (() => Error) | undefined;

  constructor(connect: Connect, refused?: () => Error) {
    super({ allowHalfOpen: true });
    this.#open = connect;
    this.#refused = refused;
  }

  override _construct(done: (error?: Error) => void): void {
    this.#connect().then(
      () => done(),
      (error) => done(this.#abort.signal.aborted ? undefined : error),
    );
  }

  override destroy(error?: Error): this {
    this.#abort.abort(error);
    return super.destroy(error);
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket?.write(chunk, encoding, (error) => {
      if (error) this.#lose();
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

  #lose(): void {
    this.destroy(this.#abort.signal.aborted ? undefined : this.#refused?.());
  }

  async #connect(): Promise<void> {
    const socket = await this.#open(this.#abort.signal);
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#refused = undefined;
      if (!this.push(chunk)) socket.pause();
    });
    socket.on("end", () => (this.#refused ? this.#lose() : this.push(null)));
    socket.on("error", () => this.#lose());
    socket.on("close", () => this.#lose());
  }
}
