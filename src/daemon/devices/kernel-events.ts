import { once } from "node:events";
import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { loadNative } from "../../base/native/load-native.ts";
import { parseUevent, type Uevent } from "./uevent.ts";

/** How long it is silent after it broke off: first, and at most. Milliseconds. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;

export interface KernelEventsOptions {
  readonly onEvent: (event: Uevent) => void;
  /** Called when events may have been missed: at the beginning, and after each gap. */
  readonly onGap: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Hears what the kernel says of devices until it is disposed. After an error or an overflow it begins anew. */
export class KernelEvents implements AsyncDisposable {
  readonly #options: KernelEventsOptions;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: KernelEventsOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#ending;
    let waits = backoff(FIRST_PAUSE, LONGEST_PAUSE);
    while (!signal.aborted) {
      const began = clock.elapsed();
      await this.#hear().catch((error) =>
        log.warn({ error }, "the kernel's events broke off; hearing again"),
      );
      if (clock.elapsed() - began > LONGEST_PAUSE) waits = backoff(FIRST_PAUSE, LONGEST_PAUSE);
      await clock.sleep(waits.next().value, signal).catch(() => undefined);
    }
  }

  /** Until it breaks off. */
  async #hear(): Promise<void> {
    const { onEvent, onGap } = this.#options;
    const { signal } = this.#ending;
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
