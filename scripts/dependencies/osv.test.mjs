import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NothingLookedAt } from "./nothing-looked-at.mjs";
import { compareVersions, isAbout, readRecords } from "./osv.mjs";

test("versions have the order of semver", () => {
  const sorted = [
    "0",
    "0.0.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.9.0",
    "1.10.0",
    "2.0.0-0",
    "2.0.0",
  ];
  for (const [index, version] of sorted.entries()) {
    for (const [at, other] of sorted.entries()) {
      assert.equal(compareVersions(version, other), Math.sign(index - at) + 0, `${version} ${other}`);
    }
  }
  assert.equal(compareVersions("1.0.0+build", "1.0.0"), 0);
});

const record = (affected, more = {}) => ({
  id: "GHSA-1",
  modified: "2026-01-02T03:04:05Z",
  affected: [{ package: { ecosystem: "npm", name: "one" }, ...affected }],
  ...more,
});
const range = (...events) => ({ ranges: [{ type: "SEMVER", events }] });

for (const [what, given, inside, outside] of [
  [
    "up to a fix",
    range({ introduced: "0" }, { fixed: "1.2.0" }),
    ["0.0.1", "1.1.9", "1.2.0-rc.1"],
    ["1.2.0", "2.0.0"],
  ],
  ["from a version on", range({ introduced: "1.0.0" }), ["1.0.0", "9.0.0"], ["0.9.9", "1.0.0-rc.1"]],
  [
    "up to a last one",
    range({ introduced: "1.0.0" }, { last_affected: "1.5.0" }),
    ["1.0.0", "1.5.0"],
    ["1.5.1"],
  ],
  [
    "with several spans, in any order",
    range({ introduced: "2.0.0" }, { fixed: "2.1.0" }, { introduced: "1.0.0" }, { fixed: "1.0.5" }),
    ["1.0.4", "2.0.9"],
    ["0.9.0", "1.0.5", "1.9.9", "2.1.0"],
  ],
  ["of listed versions", { versions: ["1.0.1"] }, ["1.0.1"], ["1.0.2"]],
]) {
  test(`a record ${what} is about the versions in it`, () => {
    for (const version of inside) assert.ok(isAbout(record(given), { name: "one", version }), version);
    for (const version of outside) assert.ok(!isAbout(record(given), { name: "one", version }), version);
  });
}

test("a record that was withdrawn, or is about another package or another world, is about none of ours", () => {
  const all = range({ introduced: "0" });
  const one = { name: "one", version: "1.0.0" };
  assert.ok(!isAbout(record(all, { withdrawn: "2026-01-03T00:00:00Z" }), one));
  assert.ok(!isAbout(record(all), { ...one, name: "two" }));
  assert.ok(!isAbout(record({ ...all, package: { ecosystem: "PyPI", name: "one" } }), one));
  assert.ok(!isAbout(record({ ranges: [{ type: "GIT", events: [{ introduced: "0" }] }] }), one));
});

const lock = {
  packages: {
    "": {},
    "node_modules/one": { version: "1.0.0" },
    "node_modules/a/node_modules/one": { version: "2.0.0" },
  },
};

test("a folder of records names the packages that they are about, wherever they lie", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "osv-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "2026/01"), { recursive: true });
  const about = record(range({ introduced: "1.5.0" }), {
    summary: "bad",
    database_specific: { severity: "HIGH" },
  });
  writeFileSync(join(folder, "2026/01/GHSA-1.json"), JSON.stringify(about));
  writeFileSync(join(folder, "other.json"), '{"affected": 3}');
  writeFileSync(join(folder, "broken.json"), "{");
  assert.deepEqual(readRecords(folder, lock), {
    found: [{ name: "one 2.0.0", severity: "high", title: "bad", url: "GHSA-1" }],
    source: "1 records about packages of npm, the newest of 2026-01-02",
  });
});

test("a folder without records about npm is not good news", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "osv-"));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.throws(() => readRecords(folder, lock), NothingLookedAt);
  assert.throws(() => readRecords(join(folder, "absent"), lock), NothingLookedAt);
});
