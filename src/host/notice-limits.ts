import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";
import { EventSchema } from "../contract/tremplin/v1/host_pb.js";
import type { Notice } from "./store/event-store.ts";
import { factsOf } from "./store/fold.ts";

/** Notices of the contract are far smaller. Bytes. */
const MAX_NOTICE_BYTES = 1024 * 1024;
/** Allowances that are remembered at once. A container that is forgotten may send as at first. */
const MAX_ALLOWANCES = 10_000;

interface Rate {
  /** In the long run. */
  readonly perSecond: number;
  /** That may come at once, after a time without any. */
  readonly atOnce: number;
}

const ofGuest: Rate = { perSecond: 200, atOnce: 2_000 };
const ofContainer: Rate = { perSecond: 100, atOnce: 1_000 };

interface Allowance {
  notices: number;
  /** Of the clock, when `notices` was right. */
  at: number;
}

/**
 * Bounds what one guest, and in it one container, can make the host write. Notices that end something are counted apart,
 * so no other delays them. A notice over the rate is answered with UNAVAILABLE, the one code after which every daemon
 * sends it again; one that is too large is refused for good.
 */
export class NoticeLimits {
  readonly #clock: Clock;
  readonly #allowances = new Map<string, Allowance>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws the answer to a notice that exceeds the limits. */
  admit<D extends DescMessage>(
    guest: string,
    schema: D,
    kind: Notice["case"],
    message: MessageShape<D>,
  ): void {
    const bytes = toBinary(schema, message).length;
    if (bytes > MAX_NOTICE_BYTES) {
      throw new ConnectError(
        `${schema.name} has ${bytes} bytes; at most ${MAX_NOTICE_BYTES} are accepted`,
        Code.InvalidArgument,
      );
    }
    const notice = { case: kind, value: message } as Notice;
    const { container, isFinal } = factsOf(create(EventSchema, { guest, notice }));
    // A notice of ports is about all containers.
    const source = kind === "ports" ? [kind] : ["", container];
    const whole = this.#allowance([guest, isFinal], ofGuest);
    const part = this.#allowance([guest, isFinal, ...source], ofContainer);
    if (whole.notices < 1) throw over(`guest ${guest}`, ofGuest);
    if (part.notices < 1) throw over(`${nameOf(kind, container)} of guest ${guest}`, ofContainer);
    whole.notices--;
    part.notices--;
  }

  #allowance(source: readonly unknown[], { perSecond, atOnce }: Rate): Allowance {
    const key = JSON.stringify(source);
    const at = this.#clock.elapsed();
    const known = this.#allowances.get(key) ?? { notices: atOnce, at };
    known.notices = Math.min(atOnce, known.notices + ((at - known.at) * perSecond) / 1000);
    known.at = at;
    // The one that was used last comes last.
    this.#allowances.delete(key);
    this.#allowances.set(key, known);
    const [oldest] = this.#allowances.keys();
    if (this.#allowances.size > MAX_ALLOWANCES && oldest !== undefined) this.#allowances.delete(oldest);
    return known;
  }
}

function nameOf(kind: Notice["case"], container: string): string {
  if (kind === "ports") return "the listening ports";
  return container === "" ? "the daemon" : `container ${container.slice(0, 63)}`;
}

function over(who: string, { perSecond }: Rate): ConnectError {
  return new ConnectError(
    `more than ${perSecond} notices a second come from ${who}; this one is accepted later`,
    Code.Unavailable,
  );
}
