import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import { untilAborted } from "../../base/async/until-aborted.ts";
import { Guest as GuestService, type WatchPortsResponse } from "../../contract/tremplin/v1/guest_pb.js";
import type { Connection } from "../../transport/client.ts";

const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 15_000;

interface Options {
  readonly connection: Connection;
  readonly onPorts: (response: WatchPortsResponse) => void;
  /** The guest does not answer, or no longer. */
  readonly onAway: () => void;
  readonly clock: Clock;
}

/** Follows the ports of the containers of a guest, and connects again whenever it was away. */
export class PortFollower implements AsyncDisposable {
  readonly #options: Options;
  readonly #shutdown = new AbortController();
  readonly #running: Promise<void>;
  #woken = new AbortController();

  constructor(options: Options) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** The guest is there: asks it at once. */
  wake(): void {
    this.#woken.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, onAway } = this.#options;
    const { signal } = this.#shutdown;
    let delays = backoff(FIRST_DELAY_MS, LAST_DELAY_MS);
    while (!signal.aborted) {
      this.#woken = new AbortController();
      const outcome = await this.#follow();
      if (signal.aborted) return;
      onAway();
      if (outcome === "answered") delays = backoff(FIRST_DELAY_MS, LAST_DELAY_MS);
      const until = AbortSignal.any([signal, this.#woken.signal]);
      // A daemon with the original contract alone may be replaced by a newer one.
      if (outcome === "unsupported") await untilAborted(until);
      else await clock.sleep(delays.next().value, until).catch(() => undefined);
    }
  }

  async #follow(): Promise<"answered" | "silent" | "unsupported"> {
    const { connection, onPorts } = this.#options;
    const { signal } = this.#shutdown;
    let outcome: "answered" | "silent" = "silent";
    try {
      const client = createClient(GuestService, connection.transport);
      for await (const response of client.watchPorts({}, { signal })) {
        outcome = "answered";
        onPorts(response);
      }
    } catch (error) {
      if (ConnectError.from(error).code === Code.Unimplemented) return "unsupported";
    }
    return outcome;
  }
}
