import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf } from "./network-of.ts";

for (const [address, network] of [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "loopback"],
  ["127.0.0.1", "loopback"],
  ["127.66.2.3", "loopback"],
  ["::ffff:127.0.0.9", "loopback"],
  ["fe80::1:2%eth0", "fe80:0:0:0::/64"],
  [undefined, "nowhere"],
] as const) {
  test(`the network of ${address} is ${network}`, () => assert.equal(networkOf(address), network));
}
