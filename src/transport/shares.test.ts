import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Shares } from "./shares.ts";

function sharesOf(held: Readonly<Record<string, readonly string[]>>): Shares<string> {
  const shares = new Shares<string>();
  for (const [owner, members] of Object.entries(held)) {
    for (const member of members) {
      shares.add(owner, member);
      shares.setBusy(owner, member, member.startsWith("busy"));
    }
  }
  return shares;
}

for (const [what, held, newest, expected] of [
  ["the idle one of who has the most", { a: ["busy1", "idle1", "idle2"], b: ["new"] }, "b", "idle1"],
  ["the longest busy one where none is idle", { a: ["busy1", "busy2"], b: ["new"] }, "b", "busy1"],
  ["an older one of its own owner, who has the most", { a: ["idle"], b: ["busy1", "new"] }, "b", "busy1"],
  ["an idle one where each has one", { a: ["busy"], c: ["idle"], b: ["new"] }, "b", "idle"],
  ["itself where each has one, and all are busy", { a: ["busy"], b: ["new"] }, "b", "new"],
] as const) {
  test(`to the newest gives way: ${what}`, () => {
    assert.equal(sharesOf(held).toGiveWay(newest, "new"), expected);
  });
}

test("whatever others do, an owner below its part keeps what it has", () => {
  const most = 12;
  const steps = fc.array(
    fc.record({ owner: fc.constantFrom("loud", "louder", "third"), isBusy: fc.boolean() }),
    { minLength: 30, maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const shares = new Shares<object>();
      const quiet = [{}, {}, {}];
      for (const each of quiet) shares.add("quiet", each);
      for (const { owner, isBusy } of all) {
        const member = { owner };
        shares.add(owner, member);
        if (shares.size > most) {
          const last = shares.toGiveWay(owner, member) as { owner?: string };
          assert.ok(!quiet.includes(last));
          shares.delete(last.owner as string, last as never);
        }
        shares.setBusy(owner, member, isBusy);
        assert.ok(shares.size <= most);
      }
    }),
  );
});
