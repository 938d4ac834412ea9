import { Code, ConnectError } from "@connectrpc/connect";
import { TremplinError } from "../base/tremplin-error.ts";
import type { Tls } from "../transport/tls.ts";
import { AcceptedTokens } from "../transport/token.ts";
import { Guest, type GuestSpec } from "./guest.ts";

/** The guests, by name. They may change while the host runs. */
export class Guests implements Disposable {
  /** Those with which guests prove who they are. */
  readonly tokens = new AcceptedTokens();
  /** Called after each change. */
  onChange: () => void = () => undefined;
  readonly #guests = new Map<string, Guest>();
  #all: readonly Guest[] = [];
  readonly #tls: Tls | undefined;

  constructor(guests: readonly GuestSpec[], tls: Tls | undefined) {
    this.#tls = tls;
    for (const guest of guests) this.add(guest);
  }

  /** Another array after each change. */
  get all(): readonly Guest[] {
    return this.#all;
  }

  /** Throws `exists` for a name that is taken, and `invalid` for an address that cannot be used. */
  add(spec: GuestSpec): Guest {
    const { name, token } = spec;
    if (this.#guests.has(name)) throw new TremplinError("exists", `two guests have the name ${name}`);
    const guest = new Guest(spec, this.#tls);
    this.#guests.set(name, guest);
    this.#all = [...this.#guests.values()];
    if (token !== undefined) this.tokens.add({ token, guest: name });
    this.onChange();
    return guest;
  }

  remove({ name, token }: Guest): void {
    this.#guests.get(name)?.[Symbol.dispose]();
    this.#guests.delete(name);
    this.#all = [...this.#guests.values()];
    if (token !== undefined) this.tokens.delete({ token });
    this.onChange();
  }

  /** The guest in the metadata `tremplin-guest`; without it the only guest. */
  resolveTarget(metadata: Headers): Guest {
    const name = metadata.get("tremplin-guest");
    if (name) return this.get(name);
    const [only, ...others] = this.all;
    if (only && others.length === 0) return only;
    if (!only) throw new ConnectError(NONE, Code.FailedPrecondition);
    throw new ConnectError(`there are several guests; choose one of ${this.names}`, Code.InvalidArgument);
  }

  get(name: string): Guest {
    const guest = this.find(name);
    if (guest) return guest;
    throw new ConnectError(`there is no guest ${name}; ${this.namesSentence}`, Code.NotFound);
  }

  find(name: string): Guest | undefined {
    return this.#guests.get(name);
  }

  [Symbol.dispose](): void {
    for (const guest of this.all) guest[Symbol.dispose]();
  }

  /** For messages. */
  get names(): string {
    const names = [...this.#guests.keys()];
    const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
    return `${names.slice(0, MAX_NAMES).join(", ")}${more}`;
  }

  /** "the guests are one, two". */
  get namesSentence(): string {
    return this.#guests.size > 0 ? `the guests are ${this.names}` : NONE;
  }
}

const MAX_NAMES = 20;
const NONE = "the host has no guest yet: tremplin guest add NAME ADDR adds one";
