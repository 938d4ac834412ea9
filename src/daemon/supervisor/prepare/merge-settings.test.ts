import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mergeSettings } from "./merge-settings.ts";

const entries = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d", "__proto__"),
  fc.constantFrom("1", "2", "3"),
);

test("without a record: a missing key is added, a different value is a person's, other keys stay", () => {
  const { entries, written, kept } = mergeSettings(
    { same: "1", differs: "person", other: "x" },
    { same: "1", differs: "2", missing: "3" },
    { confirmed: undefined },
  );
  assert.deepEqual(entries, { same: "1", differs: "person", other: "x", missing: "3" });
  assert.deepEqual(written, { same: "1", missing: "3" });
  assert.deepEqual(kept, ["differs"]);
});

test("a key that still has our value is changed or removed; one that a person changed or removed stays so", () => {
  const confirmed = { changed: "1", gone: "1", theirs: "1", removed: "1", theirGone: "1" };
  const found = { changed: "1", gone: "1", theirs: "9", theirGone: "9" };
  const { entries, kept, written } = mergeSettings(
    found,
    { changed: "2", theirs: "2", removed: "1" },
    { confirmed },
  );
  assert.deepEqual(entries, { changed: "2", theirs: "9", theirGone: "9" });
  assert.deepEqual([...kept].sort(), ["removed", "theirs"]);
  const again = mergeSettings(entries, { changed: "2", removed: "1" }, { confirmed: written });
  assert.equal(again.entries.removed, undefined);
});

test("a forced key gets our value whatever is there", () => {
  const options = { forced: new Set(["address"]) };
  assert.deepEqual(
    mergeSettings({ address: "person" }, { address: "ours" }, { confirmed: {} }, options).entries,
    { address: "ours" },
  );
});

test("a kill before or after a write: the next start has the same result as without it", () => {
  fc.assert(
    fc.property(entries, entries, entries, (found, first, second) => {
      const before = mergeSettings(found, first, { confirmed: undefined });
      const plan = mergeSettings(before.entries, second, { confirmed: before.written });
      for (const there of [before.entries, plan.entries]) {
        const after = mergeSettings(there, second, { confirmed: before.written, pending: plan.written });
        assert.deepEqual(after.entries, plan.entries);
      }
    }),
  );
});

test("no key that a person changed, added or removed since the last start is touched", () => {
  fc.assert(
    fc.property(entries, entries, entries, entries, (found, first, person, second) => {
      const before = mergeSettings(found, first, { confirmed: undefined });
      const after = mergeSettings(person, second, { confirmed: before.written });
      const at = (all: Record<string, string>, key: string) =>
        Object.hasOwn(all, key) ? all[key] : undefined;
      const keys = Object.keys({ ...person, ...before.entries });
      const changed = keys.filter((key) => at(person, key) !== at(before.entries, key));
      // A value equal to ours counts as ours; a key that neither side has is free.
      const theirs = changed.filter((key) => at(before.written, key) !== at(person, key));
      for (const key of theirs) assert.equal(at(after.entries, key), at(person, key), key);
    }),
  );
});
