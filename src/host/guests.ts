import { Code, ConnectError } from "@connectrpc/connect";
import { TremplinError } from "../base/tremplin-error.ts";
import type { Tls } from "../transport/tls.ts";
import { Guest } from "./guest.ts";
import type { GuestAddress } from "./options.ts";

/** All configured guests: which one a caller means, and which one a notice is from. */
export class Guests implements Disposable {
  readonly all: readonly Guest[];
  /** By the id of its daemon, as last heard. */
  readonly #byDaemon = new Map<string, Guest>();
  #asking: Promise<void> | undefined;
  #away: string[] = [];

  constructor(guests: readonly GuestAddress[], tls: Tls | undefined) {
    if (guests.length === 0)
      throw new TremplinError("invalid", "the host needs at least one --guest NAME=ADDR");
    const twice = guests.find(
      ({ name }, index) => guests.findIndex((other) => other.name === name) !== index,
    );
    if (twice) throw new TremplinError("invalid", `two guests have the name ${twice.name}`);
    this.all = guests.map((guest) => new Guest(guest, tls));
  }

  /** The guest that the metadata `tremplin-guest` names; without it the only one there is. */
  resolveTarget(metadata: Headers): Guest {
    const name = metadata.get("tremplin-guest");
    if (name) return this.get(name);
    const [only, ...others] = this.all as [Guest, ...Guest[]];
    if (others.length === 0) return only;
    throw new ConnectError(`say which guest is meant: ${this.#names()}`, Code.InvalidArgument);
  }

  get(name: string): Guest {
    const guest = this.all.find((each) => each.name === name);
    if (guest) return guest;
    throw new ConnectError(`there is no guest ${name}; there are: ${this.#names()}`, Code.NotFound);
  }

  /**
   * Who sends a notice: the guest whose daemon has the id in the metadata `tremplin-daemon`. An unknown id
   * makes the guests be asked for theirs. Without an id it is the only guest there is.
   */
  async identifySender(metadata: Headers): Promise<Guest> {
    const id = metadata.get("tremplin-daemon");
    if (!id) {
      if (this.all.length === 1) return this.all[0] as Guest;
      throw new ConnectError(
        `there are several guests, so a notice must say its daemon in the metadata tremplin-daemon`,
        Code.FailedPrecondition,
      );
    }
    if (!this.#byDaemon.has(id)) await this.#ask();
    const guest = this.#byDaemon.get(id);
    if (guest) return guest;
    const [sentence, code] =
      this.#away.length > 0
        ? [
            `cannot tell whose daemon ${id} is while a guest is away: ${this.#away.join("; ")}`,
            Code.Unavailable,
          ]
        : [`no guest has the daemon ${id}; there are: ${this.#names()}`, Code.FailedPrecondition];
    throw new ConnectError(sentence, code);
  }

  [Symbol.dispose](): void {
    for (const guest of this.all) guest[Symbol.dispose]();
  }

  /** Asks all guests who they are; those who call meanwhile share the answer. */
  async #ask(): Promise<void> {
    this.#asking ??= this.#learn().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #learn(): Promise<void> {
    const answers = await Promise.all(
      this.all.map(async (guest) => ({ guest, presence: await guest.presence() })),
    );
    this.#away = answers.flatMap(({ presence }) => (presence.reachable ? [] : [presence.reason]));
    for (const { guest, presence } of answers) {
      if (presence.reachable && presence.daemonId) this.#byDaemon.set(presence.daemonId, guest);
    }
  }

  #names(): string {
    return this.all.map(({ name }) => name).join(", ");
  }
}
