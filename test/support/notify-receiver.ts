import { close, closeSync, read, unlinkSync } from "node:fs";
import koffi from "koffi";
import { libc } from "../../src/base/native/raw-socket.ts";
import { encodeUnixAddress } from "../../src/base/native/send-datagram.ts";

const calls = {
  socket: libc.func("int socket(int, int, int)"),
  bind: libc.func("int bind(int, const void*, uint)"),
  listen: libc.func("int listen(int, int)"),
  shutdown: libc.func("int shutdown(int, int)"),
};

/** A Unix socket that listens, as systemd makes it for a program: nothing in this process accepts its connections. */
export function listeningSocket(path: string): Disposable & { readonly fd: number } {
  const fd = calls.socket(1, 1, 0);
  const address = encodeUnixAddress(path);
  if (calls.bind(fd, address, address.length) < 0 || calls.listen(fd, 16) < 0)
    throw new Error(`cannot listen on ${path}: errno ${koffi.errno()}`);
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** What systemd is for a program that notifies it: a datagram socket at a path. */
export class NotifyReceiver implements AsyncDisposable {
  readonly messages: string[] = [];
  readonly #path: string;
  readonly #fd: number;
  readonly #closed: Promise<void>;
  #watchers: (() => void)[] = [];

  constructor(path: string) {
    this.#path = path;
    // It blocks: Node reads it in a thread of its own.
    this.#fd = calls.socket(1, 2, 0);
    const address = encodeUnixAddress(path);
    if (calls.bind(this.#fd, address, address.length) < 0) throw new Error(`bind: errno ${koffi.errno()}`);
    this.#closed = this.#receive();
  }

  /** Resolves once as many messages of that text have come. */
  async received(text: string, count = 1): Promise<void> {
    while (this.messages.filter((each) => each === text).length < count) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  async #receive(): Promise<void> {
    const buffer = Buffer.alloc(4096);
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<number>();
      read(this.#fd, buffer, 0, buffer.length, null, (error, count) => resolve(error ? 0 : count));
      const count = await promise;
      if (count === 0) return;
      this.messages.push(buffer.toString("utf8", 0, count));
      for (const watcher of this.#watchers.splice(0)) watcher();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const SHUT_RDWR = 2;
    calls.shutdown(this.#fd, SHUT_RDWR);
    await this.#closed;
    await new Promise((resolve) => close(this.#fd, resolve));
    unlinkSync(this.#path);
  }
}
