import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, formatAddress } from "../transport/address.ts";
import { rolePattern } from "../transport/role.ts";
import { isToken, TOKEN_RULE } from "../transport/token.ts";
import type { Guest, GuestSpec } from "./guest.ts";
import type { ListenerAddress } from "./options.ts";

export interface Fleet {
  readonly guests: readonly Pick<Guest, "name" | "address" | "cid" | "token" | "listener">[];
  /** The addresses for notices on the command line. */
  readonly listeners: readonly ListenerAddress[];
  readonly hasTls: boolean;
}

/**
 * Checks a guest before it is added: its name and addresses, and that something will show which guest sends a notice, for
 * it and for those that are there. Throws `invalid` or `exists` with what to do.
 */
export function checkNewGuest(guest: GuestSpec, fleet: Fleet): void {
  const { name, address, token, listener } = guest;
  if (!rolePattern.test(name)) {
    throw new TremplinError(
      "invalid",
      `"${name.slice(0, 80)}" is not the name of a guest: it must have 1 to 63 letters, digits, ".", "_" and "-", and begin with a letter or digit`,
    );
  }
  checkReachable(address);
  if (token !== undefined && !isToken(token)) {
    throw new TremplinError(
      "invalid",
      `the token of guest ${name} cannot be used: it must have ${TOKEN_RULE}`,
    );
  }
  if (listener?.kind === "tcp" && listener.port === 0) {
    throw new TremplinError("invalid", `${formatAddress(listener)} needs a port, which the guest must know`);
  }
  checkUnique(guest, fleet);
  checkProvable(guest, fleet);
}

/** Throws `invalid` for an address at which no daemon can be reached. */
export function checkReachable(address: Address): void {
  const isNowhere = address.kind !== "unix" && address.port === 0;
  if (!isNowhere && !(address.kind === "vsock" && address.cid === "any")) return;
  throw new TremplinError(
    "invalid",
    `no daemon can be reached at ${formatAddress(address)}: give the real one`,
  );
}

function checkUnique({ name, address, token, listener }: GuestSpec, { guests, listeners }: Fleet): void {
  const text = formatAddress(address);
  for (const other of guests) {
    if (other.name === name)
      throw new TremplinError("exists", `there is a guest ${name} already, at ${other.address}`);
    if (other.address === text)
      throw new TremplinError("exists", `${text} is the address of guest ${other.name} already`);
    if (token !== undefined && other.token === token) {
      throw new TremplinError(
        "exists",
        `guest ${other.name} has this token already: each guest needs one of its own`,
      );
    }
    if (address.kind === "vsock" && address.cid === other.cid) {
      throw new TremplinError("exists", `context id ${address.cid} is that of guest ${other.name} already`);
    }
  }
  const taken = [...listeners.map((each) => each.address), ...guests.flatMap((each) => each.listener ?? [])];
  if (listener && taken.some((each) => formatAddress(each) === formatAddress(listener))) {
    throw new TremplinError("exists", `the host listens on ${formatAddress(listener)} already`);
  }
}

/** A guest without an address of its own must be proven by its certificate, token or context id, or be the only one. */
function checkProvable(guest: GuestSpec, fleet: Fleet): void {
  if (guest.listener || isProven(guest, fleet)) return;
  const { listeners } = fleet;
  const isOnlyOne = sendersWithoutProof(fleet).length === 0;
  if (isOnlyOne && listeners.some((each) => each.guest === undefined && each.address.kind === "unix")) return;
  throw new TremplinError(
    "invalid",
    `nothing would show that a notice is from guest ${guest.name}: give it an address of its own with --listener ADDR, or on tcp a certificate or a token`,
  );
}

/** The guests whose notices only a socket file can prove. */
export function sendersWithoutProof<G extends Provable>(fleet: {
  readonly guests: readonly G[];
  readonly listeners: readonly ListenerAddress[];
  readonly hasTls: boolean;
}): G[] {
  return fleet.guests.filter((guest) => !guest.listener && !isProven(guest, fleet));
}

type Provable = Pick<GuestSpec, "name" | "token" | "listener"> & { readonly address: Address | string };

/** Whether an address for notices shows that it is this guest that sends there. */
function isProven(
  { name, address, token }: Provable,
  { listeners, hasTls }: Pick<Fleet, "listeners" | "hasTls">,
): boolean {
  const text = typeof address === "string" ? address : formatAddress(address);
  return listeners.some(({ guest, address: { kind } }) => {
    if (guest !== undefined) return guest === name;
    if (kind === "vsock") return /^vsock:\d/.test(text);
    if (kind === "tcp") return hasTls ? text.startsWith("tcp:") : token !== undefined;
    return false;
  });
}
