import { Code } from "@connectrpc/connect";
import { wrongRole } from "../transport/admission.ts";
import type { Caller } from "../transport/caller.ts";
import type { Refusal } from "../transport/refusal.ts";
import type { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";

/** The guest behind a caller of the listener, or why there is none. */
export type Sender = { readonly guest: Guest } | { readonly refusal: Refusal };

/**
 * The guest that sends notices, as far as the transport proves it: by the name in its certificate, by its token, by its
 * context id, by the address (`expected`: the guest of that listener), or because there is only one guest.
 */
export function senderOf(caller: Caller, expected: string | undefined, guests: Guests): Sender {
  const proven = provenName(caller, guests);
  if (typeof proven === "object") return unknown(proven.reason);
  if (proven !== undefined && expected !== undefined && proven !== expected) {
    return unknown(`guest ${proven} sends to the address of guest ${expected}`);
  }
  const name = proven ?? expected ?? onlyName(guests);
  if (name === undefined) {
    const sentence = `nothing shows which of the guests ${guests.names} sends here`;
    return unknown(guests.all.length > 0 ? sentence : guests.namesSentence);
  }
  const guest = guests.find(name);
  return guest ? { guest } : unknown(`there is no guest ${name}; ${guests.namesSentence}`);
}

/** Undefined where the transport says nothing of a name. */
function provenName(caller: Caller, guests: Guests): string | undefined | { readonly reason: string } {
  if (caller.kind === "token") return caller.guest;
  if (caller.kind === "vsock") return nameOfCid(caller.cid, guests);
  if (caller.kind === "local" || caller.isPeer) return undefined;
  if (caller.role?.kind === "guest") return caller.role.name;
  return { reason: wrongRole(caller, "guests") };
}

function nameOfCid(cid: number, guests: Guests): string | { readonly reason: string } {
  const [only, ...others] = guests.all.filter((guest) => guest.cid === cid);
  if (only && others.length === 0) return only.name;
  return { reason: `context id ${cid} is not that of exactly one guest` };
}

function onlyName(guests: Guests): string | undefined {
  return guests.all.length === 1 ? guests.all[0]?.name : undefined;
}

/** The contract's answer to a sender that is no known guest (docs/contract.md#tremplinlistener): it sends again. */
function unknown(sentence: string): Sender {
  return { refusal: { code: Code.FailedPrecondition, sentence } };
}
