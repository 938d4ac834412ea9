import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { isSameIdMap, parseIdMap, toContainerId, toHostId } from "./id-map.ts";

type Kind = "uid" | "gid" | "both";

function entry(kind: Kind, containerId: number, hostId: number, count: number) {
  return { Isuid: kind !== "gid", Isgid: kind !== "uid", Hostid: hostId, Nsid: containerId, Maprange: count };
}

const plain = JSON.stringify([entry("uid", 0, 100000, 10000001), entry("gid", 0, 100000, 10000001)]);
const once = [
  entry("uid", 0, 100000, 1000),
  entry("both", 1000, 1000, 1),
  entry("uid", 1001, 101001, 9999000),
  entry("gid", 0, 100000, 1000),
];
const lastGroups = entry("gid", 1001, 101001, 9999000);
/** How LXD and how Incus writes `raw.idmap` "both 1000 1000". */
const fromLxd = JSON.stringify([...once, entry("both", 1000, 1000, 1), lastGroups]);
const fromIncus = JSON.stringify([...once, lastGroups]);

test("a plain map shifts users and groups alike", () => {
  const map = parseIdMap(plain);
  assert.deepEqual(map.uid, [{ containerId: 0, hostId: 100000, count: 10000001 }]);
  assert.deepEqual(map.gid, map.uid);
  assert.equal(toHostId(map, "uid", 1000), 101000);
  assert.equal(toContainerId(map, "gid", 101000), 1000);
  assert.equal(toHostId(map, "uid", 10000001), undefined);
  assert.equal(toContainerId(map, "uid", 99999), undefined);
});

test("an entry for both applies to users and groups, written once or twice", () => {
  const map = parseIdMap(fromIncus);
  assert.ok(isSameIdMap(map, parseIdMap(fromLxd)));
  for (const kind of ["uid", "gid"] as const) {
    assert.equal(map[kind].length, 3);
    assert.deepEqual(
      [999, 1000, 1001].map((id) => toHostId(map, kind, id)),
      [100999, 1000, 101001],
    );
    assert.deepEqual(
      [1000, 101000, 101001].map((id) => toContainerId(map, kind, id)),
      [1000, undefined, 1001],
    );
  }
});

test("an empty map shifts nothing", () => {
  const map = parseIdMap("[]");
  assert.deepEqual([toHostId(map, "uid", 1000), toContainerId(map, "gid", 0)], [1000, 0]);
});

test("an id that is only mapped for the other kind does not exist", () => {
  const map = parseIdMap(JSON.stringify([entry("uid", 0, 100000, 10)]));
  assert.deepEqual([toHostId(map, "gid", 0), toContainerId(map, "gid", 0)], [undefined, undefined]);
});

test("maps differ if they map any id differently", () => {
  const others = [plain, fromLxd, "[]", JSON.stringify([entry("uid", 0, 100000, 10000001)])].map(parseIdMap);
  for (const [place, one] of others.entries()) {
    for (const [otherPlace, other] of others.entries())
      assert.equal(isSameIdMap(one, other), place === otherPlace);
  }
});

for (const bad of [
  "",
  "null",
  "{}",
  "[1]",
  '[{"Isuid":true}]',
  JSON.stringify([entry("uid", -1, 0, 1)]),
  JSON.stringify([entry("uid", 0, 2 ** 32, 1)]),
  JSON.stringify([entry("uid", 0.5, 0, 1)]),
  JSON.stringify([entry("uid", 0, 100, 10), entry("uid", 5, 300, 10)]),
  JSON.stringify([entry("uid", 0, 100, 10), entry("uid", 20, 105, 10)]),
]) {
  test(`${bad} is not an id map`, () => {
    assert.throws(() => parseIdMap(bad), { name: "TremplinError", code: "failed" });
  });
}

test("the order, repetition and splitting of entries do not matter", () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 999 }));
  const whole = parseIdMap(JSON.stringify([entry("both", 0, 5000, 1000)]));
  const pieces = cuts.map((all) => {
    const starts = [0, ...all.sort((a, b) => a - b)];
    return starts.map((start, index) =>
      entry("both", start, 5000 + start, (starts[index + 1] ?? 1000) - start),
    );
  });
  const shuffled = pieces.chain((all) =>
    fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }),
  );
  fc.assert(fc.property(shuffled, (all) => assert.deepEqual(parseIdMap(JSON.stringify(all)), whole)));
});

test("ids round-trip through any map, and any text is parsed or refused with a TremplinError", () => {
  const id = fc.integer({ min: 0, max: 40 });
  const any = fc.array(
    fc.tuple(fc.constantFrom<Kind>("uid", "gid", "both"), id, id, fc.integer({ min: 0, max: 9 })),
  );
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    any.map((all) => JSON.stringify(all.map((each) => entry(...each)))),
  );
  fc.assert(
    fc.property(text, id, (json, containerId) => {
      try {
        const map = parseIdMap(json);
        const hostId = toHostId(map, "uid", containerId);
        if (hostId !== undefined) assert.equal(toContainerId(map, "uid", hostId), containerId);
      } catch (error) {
        assert.ok(error instanceof TremplinError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test("1 MB of brackets is refused in time", () => {
  inLinearTime(() => assert.throws(() => parseIdMap("[".repeat(1_000_000)), TremplinError));
});
