import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkState } from "../../engine/resources/network-state.ts";
import { hasGlobalIpv6 } from "./renew-network.ts";

function withAddresses(...addresses: string[]): NetworkState {
  const all = addresses.map((address) => ({
    family: address.includes(":") ? ("inet6" as const) : ("inet" as const),
    address,
    netmask: "64",
    scope: "global" as const,
  }));
  return { addresses: all, hwaddr: "", mtu: 1500, state: "up", type: "broadcast" };
}

test("only global unicast addresses count, including unique local ones", () => {
  for (const address of ["2001:db8::1", "fd42::1", "fc00::1", "::2", "2002::", "ec00::1"]) {
    assert.equal(hasGlobalIpv6(withAddresses("10.0.0.1", "fe80::1", address)), true, address);
  }
  for (const address of ["::", "::1", "fe80::1", "FE90::1", "febf::1", "ff02::1", "10.0.0.1"]) {
    assert.equal(hasGlobalIpv6(withAddresses(address)), false, address);
  }
  assert.equal(hasGlobalIpv6({ ...withAddresses(), addresses: null }), false);
});
