import { once } from "node:events";
import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { loadNative } from "../../base/native/load-native.ts";
import { parseUevent, type Uevent } from "./uevent.ts";

/** First and longest delay before the socket is opened again. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 30_000;

export interface KernelEventsOptions {
  readonly onEvent: (event: Uevent) => void;
  /** Called when events may have been missed: at the beginning, and after each gap. */
  readonly onGap: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Receives the kernel's device events until disposed. Reconnects after an error or an overflow. */
export class KernelEvents implements AsyncDisposable {
  readonly #options: KernelEventsOptions;
  readonly #shutdown = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: KernelEventsOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#shutdown;
    let waits = backoff(FIRST_RETRY_MS, LAST_RETRY_MS);
    while (!signal.aborted) {
      const began = clock.elapsed();
      await this.#receive().catch((error) =>
        log.warn({ error }, "lost the socket of kernel events; reconnecting"),
      );
      if (clock.elapsed() - began > LAST_RETRY_MS) waits = backoff(FIRST_RETRY_MS, LAST_RETRY_MS);
      await clock.sleep(waits.next().value, signal).catch(() => undefined);
    }
  }

  async #receive(): Promise<void> {
    const { onEvent, onGap } = this.#options;
    const { signal } = this.#shutdown;
    const { netlinkSocket } = await loadNative(() => import("./netlink-socket.ts"));
    const socket = await netlinkSocket();
    const stop = (): void => void socket.destroy();
    signal.addEventListener("abort", stop, { once: true });
    socket.on("data", (message: Buffer) => {
      const event = parseUevent(message);
      if (event) onEvent(event);
    });
    if (signal.aborted) stop();
    else onGap();
    try {
      await once(socket, "close");
    } finally {
      signal.removeEventListener("abort", stop);
      socket.destroy();
    }
  }
}
