import assert from "node:assert/strict";
import { test } from "node:test";
import type { InstanceState } from "../../engine/resources/instance.ts";
import { addressOf, encodeIpv4Address } from "./get-container-info.ts";

test("the address has the byte order that hosts expect", () => {
  assert.equal(encodeIpv4Address("100.115.92.203"), 3411833700);
  assert.equal(encodeIpv4Address(""), 0);
});

test("the address is the global IPv4 address of eth0", () => {
  const addresses = [
    { family: "inet6", scope: "link", address: "fe80::1", netmask: "64" },
    { family: "inet", scope: "link", address: "169.254.0.1", netmask: "16" },
    { family: "inet", scope: "global", address: "10.0.0.2", netmask: "24" },
  ];
  const state = { network: { eth0: { addresses } } } as unknown as InstanceState;
  assert.equal(addressOf(state), "10.0.0.2");
  assert.equal(addressOf({ network: null } as unknown as InstanceState), "");
});
