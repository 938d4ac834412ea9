import { createClient } from "@connectrpc/connect";
import type { Logger } from "../../base/logger.ts";
import { CrashListener } from "../../contract/crash_listener_pb.js";
import type { Address } from "../../transport/address.ts";
import { type Connection, dial } from "../../transport/client.ts";
import type { Tls } from "../../transport/tls.ts";

/** A host that does not take it in this time does without. Milliseconds. */
const DEADLINE = 10_000;

interface Options {
  /** Where the host's crash listener is; without one nobody is told. */
  readonly address: Address | undefined;
  readonly tls: Tls | undefined;
  readonly log: Logger;
}

/**
 * Tells the host's crash listener that a program of the guest has failed (behaviour.md 1.1, 3.1): tried once each
 * time, since the host only counts and may serve nobody there.
 */
export class FailureReports implements Disposable {
  readonly #connection: Connection | undefined;
  readonly #log: Logger;

  constructor({ address, tls, log }: Options) {
    this.#connection = address && dial(address, { tls });
    this.#log = log;
  }

  /** Returns at once. */
  send(failedProcess: string): void {
    if (!this.#connection) return;
    const client = createClient(CrashListener, this.#connection.transport);
    client
      .sendFailureReport({ failedProcess }, { timeoutMs: DEADLINE })
      .catch((error) => this.#log.info({ error, failedProcess }, "the host's crash listener was not told"));
  }

  [Symbol.dispose](): void {
    this.#connection?.[Symbol.dispose]();
  }
}
