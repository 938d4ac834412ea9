import { createClient } from "@connectrpc/connect";
import type { Logger } from "../../base/logger.ts";
import { CrashListener } from "../../contract/crash_listener_pb.js";
import type { Address } from "../../transport/address.ts";
import { type Connection, dial } from "../../transport/client.ts";
import type { Tls } from "../../transport/tls.ts";

/** A report that the host has not taken in this time is given up. */
const DEADLINE_MS = 10_000;

interface Options {
  /** The host's crash listener; undefined: reports go nowhere. */
  readonly address: Address | undefined;
  readonly tls: Tls | undefined;
  readonly token: string | undefined;
  readonly log: Logger;
}

/**
 * Reports to the host's crash listener that a program of the guest has failed (docs/contract.md#launching-the-engine).
 * One try each time: the host only counts, and may have no such listener.
 */
export class FailureReports implements Disposable {
  readonly #connection: Connection | undefined;
  readonly #log: Logger;

  constructor({ address, tls, token, log }: Options) {
    this.#connection = address && dial(address, { tls, token, peer: { kind: "host" } });
    this.#log = log;
  }

  /** Returns at once. */
  send(failedProcess: string): void {
    if (!this.#connection) return;
    const client = createClient(CrashListener, this.#connection.transport);
    client
      .sendFailureReport({ failedProcess }, { timeoutMs: DEADLINE_MS })
      .catch((error) =>
        this.#log.info({ error, failedProcess }, "the failure could not be reported to the host"),
      );
  }

  [Symbol.dispose](): void {
    this.#connection?.[Symbol.dispose]();
  }
}
