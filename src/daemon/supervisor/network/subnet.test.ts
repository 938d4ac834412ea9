import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatSubnet, freeSubnet, holderOf, overlaps, parseSubnet, type UsedSubnet } from "./subnet.ts";
import { type Route, subnetsOf, usedSubnets } from "./used-subnets.ts";

test("the bridge's address with its prefix length is parsed and formatted", () => {
  assert.deepEqual(parseSubnet("100.115.92.193/28"), { address: "100.115.92.193", prefix: 28 });
  assert.equal(formatSubnet(parseSubnet("10.0.0.1/8")), "10.0.0.1/8");
});

for (const bad of [
  "",
  "10.0.0.1",
  "10.0.0.1/31",
  "10.0.0.1/7",
  "10.0.0.0/24",
  "10.0.0.255/24",
  "300.0.0.1/24",
  "::1/64",
]) {
  test(`"${bad}" is refused with an example`, () => {
    assert.throws(() => parseSubnet(bad), /for example 100\.115\.92\.193\/28/);
  });
}

test("overlap is symmetric and depends on the wider subnet", () => {
  const wide = parseSubnet("10.1.0.1/16");
  const inside = parseSubnet("10.1.7.1/24");
  const beside = parseSubnet("10.2.7.1/24");
  assert.deepEqual(
    [overlaps(wide, inside), overlaps(inside, wide), overlaps(wide, beside)],
    [true, true, false],
  );
});

/** What a machine with these addresses and routes uses. */
function machine(addresses: readonly string[], ...routes: readonly (string | Route)[]): UsedSubnet[] {
  const links = addresses.map((text, index) => {
    const [local = "", prefix] = text.split("/");
    return { ifname: `eth${index}`, addr_info: [{ local, prefixlen: Number(prefix) }] };
  });
  return subnetsOf(
    links,
    routes.map((route) => (typeof route === "string" ? { dst: route, dev: "tun0" } : route)),
  );
}

const split = ["0.0.0.0/1", "128.0.0.0/1"];
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

for (const [what, used, prefix, free] of [
  ["nothing", machine([]), 28, "100.115.92.193/28"],
  ["nothing, with more addresses", machine([]), 24, "100.115.92.1/24"],
  [
    "a VPN with both halves of all addresses",
    machine(["192.168.1.7/24"], "default", ...split),
    24,
    "100.115.92.1/24",
  ],
  ["a VPN with other large routes", machine([], "64.0.0.0/2", "96.0.0.0/6"), 24, "100.115.92.1/24"],
  ["a provider's shared addresses", machine(["100.70.1.2/10"]), 24, "10.115.92.1/24"],
  ["two private ranges", machine(["100.70.1.2/10", "10.0.0.7/8"]), 24, "172.29.92.1/24"],
  [
    "all private ranges but one",
    machine([], ...privateRanges.filter((each) => !each.startsWith("192"))),
    24,
    "192.168.192.1/24",
  ],
  ["a VPN with all private ranges", machine(["192.168.1.7/24"], ...privateRanges), 24, "100.115.92.1/24"],
  [
    "an unreachable route over it",
    machine([], { dst: "100.64.0.0/10", type: "unreachable" }),
    24,
    "100.115.92.1/24",
  ],
  ["a blackhole in it", machine([], { dst: "100.115.92.7", type: "blackhole" }), 24, "100.115.93.1/24"],
  ["a neighbour", machine(["100.115.92.1/24"]), 24, "100.115.93.1/24"],
  [
    "a route with several gateways",
    machine([], { dst: "100.115.0.0/16", nexthops: [{ gateway: "192.0.2.1" }] }),
    24,
    "100.116.0.1/24",
  ],
] as const) {
  test(`beside ${what} the bridge gets ${free}`, () =>
    assert.equal(formatSubnet(freeSubnet(used, prefix)), free));
}

for (const [what, used, holder] of [
  ["both halves of all addresses", machine([], ...split), undefined],
  ["a provider's shared addresses", machine(["100.70.1.2/10"]), undefined],
  ["an unreachable route over it", machine([], { dst: "100.115.0.0/16", type: "unreachable" }), undefined],
  [
    "an unreachable route in it",
    machine([], { dst: "100.115.92.192/28", type: "unreachable" }),
    "the route 100.115.92.192/28",
  ],
  ["a network with neighbours", machine(["100.115.0.1/16"]), "the interface eth0"],
  ["a route of a VPN to it", machine([], "100.115.92.0/24"), "the interface tun0"],
  ["the machine's own address", machine(["100.115.92.200/10"]), "the interface eth0"],
  [
    "a gateway in it",
    machine([], { dst: "default", gateway: "100.115.92.194", dev: "eth0" }),
    "the gateway 100.115.92.194",
  ],
] as const) {
  test(`${what}: ${holder ?? "nobody"} uses the subnet that a person asks for`, () => {
    assert.equal(holderOf(parseSubnet("100.115.92.193/28"), used)?.holder, holder);
  });
}

test("a network of the bridge's own size is not wide", () => {
  const used = machine([], "10.0.0.0/8");
  assert.equal(holderOf(parseSubnet("10.0.0.1/8"), used)?.holder, "the interface tun0");
  assert.equal(holderOf(parseSubnet("10.0.0.1/9"), used), undefined);
});

/** Routes as machines have them: most of them in and around private ranges. */
const routes: fc.Arbitrary<Route> = fc
  .tuple(
    fc.constantFrom(
      "0.0.0.0",
      "10.0.0.0",
      "10.115.0.0",
      "100.115.92.0",
      "128.0.0.0",
      "172.29.0.0",
      "192.168.0.0",
    ),
    fc.integer({ min: 1, max: 32 }),
    fc.constantFrom("unicast", "unreachable", "blackhole", "local"),
    fc.nat({ max: 1023 }),
  )
  .map(([near, prefix, type, offset]) => {
    const [a, b] = near.split(".");
    return { dst: `${a}.${b}.${offset >> 2}.${(offset & 3) * 64}/${prefix}`, type, dev: "eth0" };
  });

test("a free subnet is in a private range, and no network but a wide one has any of its addresses", () => {
  fc.assert(
    fc.property(fc.array(routes, { maxLength: 12 }), fc.integer({ min: 20, max: 30 }), (all, prefix) => {
      const used = subnetsOf([], all);
      const free = freeSubnet(used, prefix);
      assert.deepEqual(parseSubnet(formatSubnet(free)), free);
      assert.ok(
        privateRanges.some((range) => overlaps(free, parsed(range))),
        formatSubnet(free),
      );
      assert.equal(holderOf(free, used), undefined);
      // The bridge of a start that names this subnet later is in no way of itself.
      assert.equal(holderOf(free, [...used, ...machine([], "0.0.0.0/1", "128.0.0.0/1")]), undefined);
    }),
  );
});

function parsed(text: string): { address: string; prefix: number } {
  const [address = "", prefix] = text.split("/");
  return { address, prefix: Number(prefix) };
}

test("loopback is among what this machine uses", async () => {
  const loopback = (await usedSubnets()).find(({ address }) => address === "127.0.0.1");
  assert.equal(loopback?.prefix, 8);
});
