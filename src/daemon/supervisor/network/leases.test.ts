import assert from "node:assert/strict";
import { test } from "node:test";
import { leaseUse, poolSize, usedUp } from "./leases.ts";

for (const [config, size] of [
  [{ "ipv4.address": "100.115.92.193/28" }, 13],
  [{ "ipv4.address": "100.115.92.1/24" }, 253],
  [{ "ipv4.address": "10.0.0.1/24", "ipv4.dhcp.ranges": "10.0.0.5-10.0.0.9, 10.0.0.20-10.0.0.20" }, 6],
  [{ "ipv4.address": "10.0.0.1/24", "ipv4.dhcp": "false" }, undefined],
  [{ "ipv4.address": "none" }, undefined],
  [{}, undefined],
] as const) {
  test(`${JSON.stringify(config)} has ${size ?? "no"} addresses`, () => assert.equal(poolSize(config), size));
}

test("addresses are used up when each has a lease; the bridge and IPv6 have none", () => {
  const lease = (number: number, type: "dynamic" | "static" = "dynamic") => ({
    hostname: `c${number}`,
    hwaddr: `00:16:3E:00:00:0${number}`,
    address: `10.0.0.${number}`,
    type,
  });
  const gateway = { ...lease(1), type: "gateway" } as never;
  const all = [gateway, lease(2), lease(3, "static"), { ...lease(3), address: "fd42::3" }];
  const use = leaseUse(3, all);
  assert.equal(use.used, 2);
  assert.equal(usedUp("lxdbr0", use), undefined);
  assert.match(
    usedUp("lxdbr0", leaseUse(2, all))?.problem ?? "",
    /^all 2 IPv4 addresses of lxdbr0 are in use/,
  );
  assert.ok(use.holders.has("00:16:3e:00:00:02"));
});
