import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";

/** Notices of the contract are far smaller. Bytes. */
const MAX_NOTICE_BYTES = 1024 * 1024;
/** Notices a second of one guest, in the long run. */
const RATE = 200;
/** Notices of one guest that may come at once, after a time without any. */
const BURST = 2_000;

interface Allowance {
  notices: number;
  /** Of the clock, when `notices` was right. */
  at: number;
}

/**
 * Bounds what one guest can make the host write. A notice over the rate is answered with UNAVAILABLE, the one
 * code after which every daemon sends it again; one that is too large is refused for good.
 */
export class NoticeLimits {
  readonly #clock: Clock;
  readonly #allowances = new Map<string, Allowance>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws the answer to a notice that exceeds the limits. */
  admit<D extends DescMessage>(guest: string, schema: D, message: MessageShape<D>): void {
    const bytes = toBinary(schema, message).length;
    if (bytes > MAX_NOTICE_BYTES) {
      throw new ConnectError(
        `${schema.name} has ${bytes} bytes; at most ${MAX_NOTICE_BYTES} are accepted`,
        Code.InvalidArgument,
      );
    }
    const at = this.#clock.elapsed();
    const allowance = this.#allowances.get(guest) ?? { notices: BURST, at };
    allowance.notices = Math.min(BURST, allowance.notices + ((at - allowance.at) * RATE) / 1000);
    allowance.at = at;
    this.#allowances.set(guest, allowance);
    if (allowance.notices < 1) {
      throw new ConnectError(
        `guest ${guest} sends more than ${RATE} notices a second; this one is accepted later`,
        Code.Unavailable,
      );
    }
    allowance.notices--;
  }
}
