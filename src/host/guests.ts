import { Code, ConnectError } from "@connectrpc/connect";
import { TremplinError } from "../base/tremplin-error.ts";
import type { Tls } from "../transport/tls.ts";
import { Guest } from "./guest.ts";
import type { GuestAddress } from "./options.ts";

/** The configured guests: finds the target of a call and the sender of a notice. */
export class Guests implements Disposable {
  readonly all: readonly Guest[];
  /** By the id of its daemon. */
  readonly #byDaemon = new Map<string, Guest>();
  #refreshing: Promise<void> | undefined;
  #unreachable: string[] = [];

  constructor(guests: readonly GuestAddress[], tls: Tls | undefined) {
    if (guests.length === 0)
      throw new TremplinError("invalid", "the host needs at least one --guest NAME=ADDR");
    const twice = guests.find(
      ({ name }, index) => guests.findIndex((other) => other.name === name) !== index,
    );
    if (twice) throw new TremplinError("invalid", `two guests have the name ${twice.name}`);
    this.all = guests.map((guest) => new Guest(guest, tls));
  }

  /** The guest in the metadata `tremplin-guest`; without it the only guest. */
  resolveTarget(metadata: Headers): Guest {
    const name = metadata.get("tremplin-guest");
    if (name) return this.get(name);
    const [only, ...others] = this.all as [Guest, ...Guest[]];
    if (others.length === 0) return only;
    throw new ConnectError(`there are several guests; choose one of ${this.#names()}`, Code.InvalidArgument);
  }

  get(name: string): Guest {
    const guest = this.all.find((each) => each.name === name);
    if (guest) return guest;
    throw new ConnectError(`there is no guest ${name}; the guests are ${this.#names()}`, Code.NotFound);
  }

  /**
   * The sender of a notice: the guest whose daemon has the id in the metadata `tremplin-daemon`, without it the only
   * guest. For an unknown id it asks all guests for theirs.
   */
  async identifySender(metadata: Headers): Promise<Guest> {
    const id = metadata.get("tremplin-daemon");
    if (!id) {
      if (this.all.length === 1) return this.all[0] as Guest;
      throw new ConnectError(
        "there are several guests, so a notice must have the id of its daemon in the metadata tremplin-daemon",
        Code.FailedPrecondition,
      );
    }
    if (!this.#byDaemon.has(id)) await this.#refreshOnce();
    const guest = this.#byDaemon.get(id);
    if (guest) return guest;
    const [sentence, code] =
      this.#unreachable.length > 0
        ? [
            `cannot identify the guest of daemon ${id} while a guest is unreachable: ${this.#unreachable.join("; ")}`,
            Code.Unavailable,
          ]
        : [`no guest has the daemon ${id}; the guests are ${this.#names()}`, Code.FailedPrecondition];
    throw new ConnectError(sentence, code);
  }

  [Symbol.dispose](): void {
    for (const guest of this.all) guest[Symbol.dispose]();
  }

  /** Asks all guests for the ids of their daemons. Concurrent callers share one round. */
  async #refreshOnce(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const answers = await Promise.all(
      this.all.map(async (guest) => ({ guest, presence: await guest.presence() })),
    );
    this.#unreachable = answers.flatMap(({ presence }) => (presence.reachable ? [] : [presence.reason]));
    for (const { guest, presence } of answers) {
      if (presence.reachable && presence.daemonId) this.#byDaemon.set(presence.daemonId, guest);
    }
  }

  #names(): string {
    return this.all.map(({ name }) => name).join(", ");
  }
}
