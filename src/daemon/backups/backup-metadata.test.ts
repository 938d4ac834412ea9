import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { parseBackupMetadata, pathAndParents } from "./backup-metadata.ts";

test("architecture, template targets and text properties are parsed", () => {
  const text = `
architecture: x86_64
creation_date: 1700000000
expiry_date: 18446744073709551615
properties: {os: Debian, serial: "20260101_0000", odd: 7}
templates:
  /etc/hostname: {when: [create, copy], create_only: false, template: hostname.tpl, properties: {}}
  /etc/hosts: {when: [create, copy], template: hosts.tpl}
`;
  assert.deepEqual(parseBackupMetadata(text), {
    architecture: "x86_64",
    targets: ["/etc/hostname", "/etc/hosts"],
    properties: { os: "Debian", serial: "20260101_0000" },
  });
  assert.deepEqual(
    parseBackupMetadata("architecture: i686\ncreation_date: 1\nproperties: {}\ntemplates:\n").targets,
    [],
  );
});

const bad: readonly [what: string, text: string, reason: RegExp][] = [
  ["no YAML", "a: [", /cannot be used/],
  ["a list", "- a\n", /cannot be used/],
  ["nothing", "", /cannot be used/],
  ["no architecture", "properties: {}\n", /architecture/],
  ["no date", "architecture: x86_64\nproperties: {}\n", /creation_date/],
  ["no properties", "architecture: x86_64\ncreation_date: 1\n", /properties/],
  ["a target with ..", template("/../../etc/cron.d/x", "a.tpl"), /outside the container/],
  ["a target that is rootfs itself", template("/", "a.tpl"), /not a path/],
  ["a target that is too deep", template("/a".repeat(100), "a.tpl"), /not a path/],
  ["a template with ..", template("/etc/a", "../../../etc/shadow"), /outside the container/],
  ["an absolute template", template("/etc/a", "/etc/shadow"), /not a file/],
  [
    "aliases of aliases",
    `a: &a [x, x, x, x, x, x, x, x, x]\n${[..."bcdefghi"]
      .map((key, index) => `${key}: &${key} [${`*${"abcdefgh"[index]}, `.repeat(9)}]\n`)
      .join("")}architecture: x86_64\n`,
    /refers to an anchor .*too often/,
  ],
];

function template(target: string, file: string): string {
  return `architecture: x86_64\ncreation_date: 1\nproperties: {}\ntemplates:\n  "${target}": {when: [create], template: "${file}"}\n`;
}

for (const [what, text, reason] of bad) {
  test(`${what} is refused`, () => assert.throws(() => parseBackupMetadata(text), { message: reason }));
}

const mebibyte = (piece: string): string => piece.repeat(Math.floor((1024 * 1024) / piece.length));

for (const piece of [
  "[",
  "{a: ",
  "- ",
  "&a ",
  "a: *a\n",
  "? ",
  "!!a ",
  "a: &a b\nc: *a\n",
  "<<: {}\n",
  "[],",
]) {
  test(`a mebibyte of ${JSON.stringify(piece)} is refused in linear time`, () => {
    inLinearTime(() => assert.throws(() => parseBackupMetadata(mebibyte(piece)), TremplinError));
  });
}

test("any text is parsed or refused with a TremplinError", () => {
  // An eighth of the allowed length: parsing takes linear time.
  for (const piece of ["'", "a\n", "\t", "a: b\n", "a: |\n b\n", "# a\n"]) {
    const text = mebibyte(piece).slice(0, 128 * 1024);
    assert.throws(() => parseBackupMetadata(text), TremplinError);
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
      try {
        parseBackupMetadata(text);
      } catch (error) {
        assert.ok(error instanceof TremplinError);
      }
    }),
  );
});

test("the parents of a target", () => {
  assert.deepEqual(pathAndParents("/etc//x/./y"), ["etc", "etc/x", "etc/x/y"]);
  assert.deepEqual(pathAndParents("ä"), ["\xc3\xa4"]);
});
