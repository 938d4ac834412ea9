import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { debianSuiteOf, parseDebianSuite } from "./debian-suite.ts";
import { parseReleaseFile } from "./release-file.ts";

const signed = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Label: Debian-Security
Suite: oldstable-security
Codename: bookworm-security
Origin: Other
`;

test("the head of a signed file is read, and the first of equal fields counts", () => {
  assert.deepEqual(parseReleaseFile(signed.split("\n")), {
    origin: "Debian",
    label: "Debian-Security",
    suite: "oldstable-security",
    codename: "bookworm-security",
  });
});

test("another text is no Release file", () => {
  for (const text of ["", "<html>\n<body>Please log in: now</body>", "origin: Debian", " Origin: Debian"]) {
    assert.equal(parseReleaseFile(text.split("\n")), undefined);
  }
});

test("any text gives short plain values", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string().map((text) => `Origin: ${text}\x1b[0m`),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      for (const value of Object.values(parseReleaseFile(lines) ?? {}))
        assert.match(value, /^[\x20-\x7e]{0,100}$/);
    }),
  );
});

test("a long line is read in time", () => {
  const release = inLinearTime(() => parseReleaseFile([`Origin: ${" x".repeat(500_000)}`]));
  assert.match(release?.origin ?? "", /^(x )+x$/);
});

for (const [suite, release, role] of [
  ["bookworm", "bookworm", "main"],
  ["stable", "stable", "main"],
  ["sid", "sid", "main"],
  ["bookworm-updates", "bookworm", "updates"],
  ["bookworm-security", "bookworm", "security"],
  ["buster/updates", "buster", "security"],
  ["buster/updates/", "buster", "security"],
  ["bookworm-backports", "bookworm", "other"],
  ["bookworm-backports-sloppy", "bookworm", "other"],
  ["bookworm-proposed-updates", "bookworm", "other"],
  ["bookworm-debug", "bookworm", "other"],
  ["proposed-updates", "", "other"],
  ["experimental", "", "other"],
  ["./", ".", "other"],
] as const) {
  test(`the suite ${suite} is ${role} of "${release}"`, () => {
    assert.deepEqual(parseDebianSuite(suite), { release, role });
  });
}

for (const [origin, label, codename, role] of [
  ["Debian", "Debian", "trixie", "main"],
  ["Debian", "Debian", "trixie-updates", "updates"],
  ["Debian", "Debian-Security", "buster", "security"],
  ["Debian Backports", "Debian Backports", "bookworm-backports", "other"],
  ["Debian", "Debian debug", "bookworm-debug", "other"],
  ["Debian", "my packages", "bookworm", undefined],
  ["Raspbian", "Raspbian", "bookworm", undefined],
  ["debian", "debian", "bookworm", undefined],
  ["Debian FastTrack", "Debian FastTrack", "bookworm-fasttrack", undefined],
  ["", "Debian", "bookworm", undefined],
] as const) {
  test(`"${origin}" with the label "${label}" is ${role ? `Debian's: ${role}` : "not Debian's"}`, () => {
    assert.equal(debianSuiteOf({ origin, label, codename, suite: "" })?.role, role);
  });
}
