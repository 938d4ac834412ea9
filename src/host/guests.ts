import { Code, ConnectError } from "@connectrpc/connect";
import { TremplinError } from "../base/tremplin-error.ts";
import type { Tls } from "../transport/tls.ts";
import { Guest } from "./guest.ts";
import type { GuestAddress } from "./options.ts";

/** The configured guests, by name. */
export class Guests implements Disposable {
  readonly all: readonly Guest[];

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
    throw new ConnectError(`there are several guests; choose one of ${this.names}`, Code.InvalidArgument);
  }

  get(name: string): Guest {
    const guest = this.find(name);
    if (guest) return guest;
    throw new ConnectError(`there is no guest ${name}; the guests are ${this.names}`, Code.NotFound);
  }

  find(name: string): Guest | undefined {
    return this.all.find((each) => each.name === name);
  }

  [Symbol.dispose](): void {
    for (const guest of this.all) guest[Symbol.dispose]();
  }

  /** For messages. */
  get names(): string {
    return this.all.map(({ name }) => name).join(", ");
  }
}
