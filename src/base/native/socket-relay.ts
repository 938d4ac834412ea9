import { Worker } from "node:worker_threads";
import { closeRaw, libc } from "./raw-socket.ts";
import type { RelayEnd, RelayOrder, RelayStart } from "./relay-loop.ts";

const calls = {
  eventfd: libc.func("int eventfd(uint, int)"),
  write: libc.func("long write(int, const void*, size_t)"),
  fcntl: libc.func("int fcntl(int, int, ...)"),
};
const EFD_NONBLOCK_CLOEXEC = 0o2004000;
const F_DUPFD_CLOEXEC = 1030;

/** Two sockets whose bytes the relay passes on to each other. */
export interface RelayedPair {
  /** Resolves when both directions have ended, or one side has reset the connection. */
  readonly ended: Promise<void>;
  /** Resets both sides. */
  reset(): void;
}

/** A second descriptor of the same socket; negative where there is none left. */
export function duplicate(fd: number): number {
  return calls.fcntl(fd, F_DUPFD_CLOEXEC, "int", 3) as number;
}

/**
 * Passes bytes between pairs of connected sockets, in both directions, as fast as the kernel can: with half-close,
 * back-pressure and resets as without it. Works in a thread of its own, which ends with the process.
 */
export class SocketRelay implements AsyncDisposable {
  readonly #wake = calls.eventfd(0, EFD_NONBLOCK_CLOEXEC) as number;
  readonly #worker: Worker;
  readonly #pairs = new Map<number, { readonly resolve: () => void; readonly sockets: readonly number[] }>();
  readonly #exited: Promise<void>;
  readonly #stop = (): void => this.#order({ stop: true });
  #hasFailed = false;
  #nextId = 1;

  private constructor(file: string) {
    const workerData: RelayStart = { relayWake: this.#wake };
    this.#worker = new Worker(new URL(file), { workerData, name: "relay" });
    this.#worker.unref();
    this.#worker.on("message", ({ ended }: RelayEnd) => this.#ended(ended));
    this.#worker.on("error", () => undefined);
    this.#exited = new Promise((resolve) => this.#worker.once("exit", resolve)).then(() => this.#fail());
    // The thread waits in the kernel, where nothing else could end it.
    process.once("exit", this.#stop);
  }

  static async open(): Promise<SocketRelay> {
    const { relayLoopUrl } = await import("./relay-loop.ts");
    return new SocketRelay(relayLoopUrl);
  }

  /** Whether its thread has failed: it takes no more pairs. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Relays between two connected, non-blocking sockets. Owns their descriptors from now on. */
  add(one: number, other: number): RelayedPair {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pairs.set(id, { resolve, sockets: [one, other] });
    if (this.#hasFailed) this.#fail();
    else this.#order({ add: { id, one, other } });
    return { ended: promise, reset: () => this.#pairs.has(id) && this.#order({ reset: id }) };
  }

  /** Resets all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#stop);
    this.#stop();
    await this.#exited;
    closeRaw(this.#wake);
  }

  #order(order: RelayOrder): void {
    this.#worker.postMessage(order);
    const one = Buffer.alloc(8);
    one.writeBigUInt64LE(1n);
    calls.write(this.#wake, one, 8);
  }

  #ended(id: number): void {
    this.#pairs.get(id)?.resolve();
    this.#pairs.delete(id);
  }

  /** Closes what the thread has not closed; it reports the rest before it exits. */
  #fail(): void {
    this.#hasFailed = true;
    for (const [id, { sockets }] of this.#pairs) {
      for (const socket of sockets) closeRaw(socket);
      this.#ended(id);
    }
  }
}
