import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isOlder } from "./is-older.ts";

const sorted = [
  "0.0.9",
  "0.1.0+git20261130.063530.4dc545d8",
  "0.1.0+git20261130.063531.aaaaaaaa.changed",
  "0.1.0+git20261201.000000.00000000",
  "0.1.0",
  "0.1.1+git20261130.063530.4dc545d8",
  "0.2.0",
  "0.10.0",
];

test("versions are ordered by numbers, then by the time of the commit, with the release last", () => {
  for (const [at, version] of sorted.entries()) {
    for (const [otherAt, other] of sorted.entries()) {
      assert.equal(isOlder(version, other), at < otherAt, `${version} ${other}`);
    }
  }
});

test("what is no version is older than nothing, and nothing is older than it", () => {
  fc.assert(fc.property(fc.string(), (text) => !isOlder(text, "99.0.0") || /^\d/.test(text)));
  for (const text of ["", "1.2", "dev", "0.1.0-rc1"]) {
    assert.deepEqual([isOlder(text, "9.0.0"), isOlder("0.0.0", text)], [false, false], text);
  }
});
