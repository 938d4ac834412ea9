import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type BackupMetadata, parseBackupMetadata, pathAndParents } from "./backup-metadata.ts";

const NOW = 1_800_000_000_000;

function parse(text: string): BackupMetadata {
  return parseBackupMetadata(text, NOW);
}

test("architecture, template targets and properties are parsed, and the text stays as it is", () => {
  const text = `
architecture: x86_64
creation_date: 1700000000
expiry_date: 1800000000
properties: {os: Debian, serial: "20260101_0000", odd: 7}
templates:
  /etc/hostname: {when: [create, copy], create_only: false, template: hostname.tpl, properties: {}}
  /etc/hosts: {when: [create, copy], template: hosts.tpl}
`;
  assert.deepEqual(parse(text), {
    architecture: "x86_64",
    targets: ["/etc/hostname", "/etc/hosts"],
    properties: { os: "Debian", serial: "20260101_0000", odd: "7" },
    text,
    mended: [],
  });
  const without = "architecture: i686\ncreation_date: 1\nproperties: {}\ntemplates:\n";
  assert.deepEqual(parse(without).targets, []);
});

const plain = { architecture: "x86_64", creation_date: 1_700_000_000, properties: { os: "Debian" } };

/** What people write by hand, and what no engine would have read in it. */
const handwritten: readonly [text: string, mended: readonly string[], expected?: object][] = [
  ["architecture: amd64\ncreation_date: 1700000000\nproperties: {os: Debian}\n", []],
  ["\ufeffarchitecture: generic_64\r\ncreation_date: 1700000000\r\nproperties:\r\n  os: Debian\r\n", []],
  ["Arch: x\narchitecture: X86-64\ncreation_date: 1700000000\nproperties: {os: Debian}\n", ["architecture"]],
  ['architecture: x86_64\ncreation_date: "1700000000"\nproperties: {os: Debian}\n', ["creation_date"]],
  ["architecture: x86_64\ncreation_date: 1700000000000\nproperties: {os: Debian}\n", []],
  [
    "architecture: x86_64\ncreation_date: 2023-11-14T22:13:20Z\nproperties: {os: Debian}\n",
    ["creation_date"],
  ],
  [
    "architecture: x86_64\n",
    ["creation_date", "properties"],
    { creation_date: 1_800_000_000, properties: {} },
  ],
  ["{architecture: x86_64, creation_date: soon, properties: null}", ["creation_date", "properties"]],
  ["architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: Debian, note: [a]}\n", ["properties"]],
  ["architecture: x86_64\ncreation_date: 1\nexpiry_date: never\nproperties: {}\n", ["expiry_date"]],
  [
    "architecture: x86_64\ncreation_date: 1\nexpiry_date: 18446744073709551615\nproperties: {}\n",
    ["expiry_date"],
  ],
  [
    "architecture: x86_64\ncreation_date: 1\nproperties: {}\ntemplates: {/a: {when: create, create_only: yes, template: a.tpl}}\n",
    ["templates"],
  ],
];
for (const [text, mended, expected] of handwritten) {
  test(`a person may write ${JSON.stringify(text)}`, () => {
    const metadata = parse(text);
    assert.deepEqual(metadata.mended, mended);
    assert.equal(metadata.architecture, "x86_64");
    if (mended.length === 0) return assert.equal(metadata.text, text);
    const again = parse(metadata.text);
    assert.deepEqual(again.mended, [], metadata.text);
    if (expected) assert.deepEqual({ ...plain, ...expected }, parseYaml(metadata.text));
  });
}

test("fields that no engine knows are kept where something else is mended", () => {
  const text = 'architecture: x86_64\nauthor: {name: me}\ncreation_date: "1"\nproperties: {}\n';
  assert.deepEqual(parseYaml(parse(text).text), {
    ...{ architecture: "x86_64", creation_date: 1, properties: {}, author: { name: "me" } },
  });
});

for (const [name, expected] of [
  ["x86", "i686"],
  ["I386", "i686"],
  ["armel", "armv7l"],
  ["ARMHF", "armv7l"],
  ["arm64", "aarch64"],
  ["ppc64el", "ppc64le"],
  ["sparc", "sparc"],
] as const) {
  test(`the architecture ${name} is ${expected}`, () => {
    assert.equal(parse(`architecture: ${name}\n`).architecture, expected);
  });
}

const bad: readonly [what: string, text: string, reason: RegExp][] = [
  ["no YAML", "a: [", /cannot be used: its line 1 .* lacks a bracket/],
  ["a list", "- a\n", /cannot be used: it has no fields, such as a line `architecture: x86_64`/],
  ["nothing", "", /cannot be used: it has no fields/],
  ["a text", "hello\n", /cannot be used: it has no fields/],
  ["bytes that are no text", "\0\x01\xff", /cannot be used: it/],
  ["no architecture", "properties: {}\n", /cannot be used: it does not name an architecture: add a line/],
  ["an architecture that is a list", "architecture: [x86_64]\n", /does not name an architecture/],
  [
    "properties that are a list",
    "architecture: x86_64\nproperties: [a]\n",
    /its properties must be lines of a name/,
  ],
  [
    "templates that are a text",
    "architecture: x86_64\ntemplates: a\n",
    /its templates must be lines of a name/,
  ],
  [
    "a template without a file",
    "architecture: x86_64\ntemplates: {/a: {when: []}}\n",
    /template for \/a names no file/,
  ],
  ["a tab", "architecture: x86_64\nproperties:\n\tos: a\n", /its line 3 is indented with a tab/],
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
  test(`${what} is refused`, () => assert.throws(() => parse(text), { message: reason }));
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
    inLinearTime(() => assert.throws(() => parse(mebibyte(piece)), TremplinError));
  });
}

test("any text is parsed or refused with a TremplinError", () => {
  // An eighth of the allowed length: parsing takes linear time.
  for (const piece of ["'", "a\n", "\t", "a: b\n", "a: |\n b\n", "# a\n"]) {
    const text = mebibyte(piece).slice(0, 128 * 1024);
    assert.throws(() => parse(text), TremplinError);
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
      try {
        parse(text);
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
