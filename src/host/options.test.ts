import assert from "node:assert/strict";
import { test } from "node:test";
import { Guests } from "./guests.ts";
import { parseGuest, parseListener } from "./options.ts";

test("a guest is a name and an address", () => {
  const address = { kind: "tcp", host: "::1", port: 1 };
  assert.deepEqual(parseGuest("my-vm.1=tcp:[::1]:1"), { name: "my-vm.1", address });
  for (const bad of ["", "vm", "=unix:/x", "-vm=unix:/x", "a b=unix:/x"]) {
    assert.throws(() => parseGuest(bad), { code: "invalid", message: /NAME=ADDR/ }, bad);
  }
  assert.throws(() => parseGuest("vm=/x"), { code: "invalid", message: /not an address/ });
});

test("no daemon is reached at any context id, or at port 0", () => {
  for (const bad of ["vm=vsock:any:8890", "vm=vsock:3:0", "vm=tcp:127.0.0.1:0"]) {
    assert.throws(() => parseGuest(bad), { code: "invalid", message: /no daemon can be reached/ }, bad);
  }
});

test("each guest of a host has a name of its own", () => {
  const guest = parseGuest("vm=unix:/x");
  assert.throws(() => new Guests([guest, guest], undefined), /two guests have the name vm/);
});

test("a listener is an address, with the name of its guest or without", () => {
  const address = { kind: "unix", path: "/run/a=b.sock" };
  assert.deepEqual(parseListener("unix:/run/a=b.sock"), { address });
  assert.deepEqual(parseListener("vm=unix:/run/a=b.sock"), { guest: "vm", address });
  assert.throws(() => parseListener("vm="), /is not an address/);
});
