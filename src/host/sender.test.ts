import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { parseAddress } from "../transport/address.ts";
import type { Caller } from "../transport/caller.ts";
import type { Role } from "../transport/role.ts";
import { Guests } from "./guests.ts";
import { senderOf } from "./sender.ts";

function guestsAt(addresses: Readonly<Record<string, string>>): Guests {
  const all = Object.entries(addresses).map(([name, address]) => ({ name, address: parseAddress(address) }));
  return new Guests(all, undefined);
}

/** The name of the guest, or the reason why there is none. */
function sender(caller: Caller, expected: string | undefined, guests: Guests): string {
  const found = senderOf(caller, expected, guests);
  if ("guest" in found) return found.guest.name;
  // The contract's code for a sender that is no known guest: the daemon sends the notice again.
  assert.equal(found.refusal.code, Code.FailedPrecondition);
  return found.refusal.sentence;
}

const local: Caller = { kind: "local" };
const vsock = (cid: number): Caller => ({ kind: "vsock", cid });
const certified = (role?: Role, isPeer = false): Caller => ({
  kind: "certificate",
  role,
  serial: "AB",
  isPeer,
});
const guestRole = (name: string): Role => ({ kind: "guest", name });

test("a socket proves the guest that it is for, or the only one", () => {
  using one = guestsAt({ vm: "unix:/vm" });
  using two = guestsAt({ vm: "unix:/vm", other: "unix:/other" });
  assert.equal(sender(local, undefined, one), "vm");
  assert.equal(sender(local, "other", two), "other");
  assert.equal(sender(local, undefined, two), "nothing shows which of the guests vm, other sends here");
});

test("a context id proves exactly the guest that is reached by it", () => {
  using guests = guestsAt({ vm: "vsock:3:8890", other: "vsock:4:8890", far: "unix:/far" });
  assert.equal(sender(vsock(3), undefined, guests), "vm");
  assert.equal(sender(vsock(4), "other", guests), "other");
  assert.match(sender(vsock(4), "vm", guests), /guest other sends to the address of guest vm/);
  for (const cid of [0, 1, 2, 5])
    assert.match(sender(vsock(cid), undefined, guests), /is not that of exactly one/);
  using same = guestsAt({ a: "vsock:3:1", b: "vsock:3:2" });
  assert.match(sender(vsock(3), undefined, same), /is not that of exactly one/);
});

test("a certificate proves the guest in its role, and one of another role nothing", () => {
  using guests = guestsAt({ vm: "unix:/vm" });
  assert.equal(sender(certified(guestRole("vm")), undefined, guests), "vm");
  assert.match(sender(certified(guestRole("x")), undefined, guests), /there is no guest x/);
  assert.match(sender(certified(guestRole("x")), "vm", guests), /guest x sends to the address of guest vm/);
  assert.match(sender(certified({ kind: "client", name: "vm" }), "vm", guests), /is of client vm/);
  assert.match(sender(certified({ kind: "host" }), "vm", guests), /is of the host/);
  assert.match(sender(certified(), "vm", guests), /has no role/);
  assert.equal(sender(certified(undefined, true), undefined, guests), "vm");
});

test("a token proves the guest that shares it", () => {
  using guests = guestsAt({ vm: "unix:/vm", other: "unix:/other" });
  const token = (guest: string): Caller => ({ kind: "token", guest });
  assert.equal(sender(token("other"), undefined, guests), "other");
  assert.match(sender(token("other"), "vm", guests), /sends to the address of guest vm/);
});
