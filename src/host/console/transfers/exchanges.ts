import type { Clock } from "../../../base/async/clock.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { BackupTransfer_Phase as Phase } from "../../../contract/tremplin/v1/host_pb.js";
import type { Handler } from "../../../transport/answer-calls.ts";
import { OneTimeTokens } from "../one-time-tokens.ts";
import type { Transfer } from "./transfer.ts";

/** One request of a browser that has the bytes of a file, or wants them. */
export interface Exchange {
  readonly request: Parameters<Handler>[0];
  readonly response: Parameters<Handler>[1];
}

interface Purpose {
  readonly method: "GET" | "PUT";
  /** False: nobody waits for it any more. */
  readonly take: (exchange: Exchange) => boolean;
}

const PREFIX = "/transfers/";
const LIFETIME_MS = 60_000;

/**
 * The URLs from which browsers save files, and to which they send them. Neither can carry the headers of a call, so each
 * URL is a ticket, which a call of a signed-in page got.
 */
export class Exchanges {
  readonly #clock: Clock;
  readonly #tickets: OneTimeTokens<Purpose>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tickets = new OneTimeTokens(clock, { lifetimeMs: LIFETIME_MS, most: 64 });
  }

  /** Shows the page a URL in a new phase, and waits for the request there. */
  async open(method: Purpose["method"], transfer: Transfer, phase: Phase): Promise<Exchange> {
    const taken = Promise.withResolvers<Exchange>();
    const closed = new AbortController();
    const take = (exchange: Exchange): boolean => {
      if (closed.signal.aborted || transfer.signal.aborted) return false;
      taken.resolve(exchange);
      return true;
    };
    transfer.enter(phase, { urlPath: `${PREFIX}${this.#tickets.create({ method, take }).token}` });
    const signal = AbortSignal.any([transfer.signal, closed.signal]);
    const late = this.#clock.sleep(LIFETIME_MS, signal).then(() => {
      throw new TremplinError("timed-out", "the browser did not begin within a minute; try again");
    });
    try {
      return await Promise.race([taken.promise, late]);
    } finally {
      closed.abort();
      late.catch(() => undefined);
    }
  }

  /** Whether a path is one of these URLs, accepted or not. */
  isOne(path: string): boolean {
    return path.startsWith(PREFIX);
  }

  /** Hands a request to whoever waits for it. False: its ticket is not accepted. */
  accept(path: string, request: Exchange["request"], response: Exchange["response"]): boolean {
    // A browser that only looks keeps its ticket.
    if (!this.isOne(path) || !["GET", "PUT"].includes(request.method)) return false;
    const purpose = this.#tickets.redeem(path.slice(PREFIX.length));
    return purpose?.method === request.method && purpose.take({ request, response });
  }
}
