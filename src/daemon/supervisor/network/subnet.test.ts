import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatSubnet, freeSubnet, overlaps, parseSubnet, type Subnet, usedSubnets } from "./subnet.ts";

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

test("a free subnet overlaps nothing that is used", () => {
  const used: fc.Arbitrary<Subnet> = fc.record(
    {
      address: fc
        .tuple(fc.integer({ min: 80, max: 110 }), fc.integer({ min: 0, max: 255 }))
        .map(([c, d]) => `100.115.${c}.${d}`),
      prefix: fc.integer({ min: 22, max: 30 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(used, { maxLength: 6 }), (others) => {
      const free = freeSubnet(others);
      assert.ok(!others.some((other) => overlaps(free, other)), formatSubnet(free));
    }),
  );
});

test("loopback is among what this machine uses", async () => {
  const loopback = (await usedSubnets()).find(({ address }) => address === "127.0.0.1");
  assert.equal(loopback?.prefix, 8);
});
