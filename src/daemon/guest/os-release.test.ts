import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { parseOsRelease } from "./os-release.ts";

function parse(text: string) {
  return parseOsRelease(Buffer.from(text));
}

function nameFrom(assignment: string): string {
  return parse(assignment).message.name;
}

test("Debian 9's os-release fills every field, without quotes", () => {
  const { message, codename } = parse(
    [
      'PRETTY_NAME="Debian GNU/Linux 9 (stretch)"',
      'NAME="Debian GNU/Linux"',
      'VERSION_ID="9"',
      'VERSION="9 (stretch)"',
      "VERSION_CODENAME=stretch",
      "ID=debian",
      'HOME_URL="https://www.debian.org/"',
      "",
    ].join("\n"),
  );
  assert.equal(message.prettyName, "Debian GNU/Linux 9 (stretch)");
  assert.equal(message.name, "Debian GNU/Linux");
  assert.equal(message.version, "9 (stretch)");
  assert.equal(message.versionId, "9");
  assert.equal(message.id, "debian");
  assert.equal(codename, "stretch");
});

test("comments, blank lines and malformed lines are skipped, and values may contain =", () => {
  const { message, codename } = parse(
    '# NAME=no\n\nBUG_URL="https://x/?a=b"\nnonsense\n=\nNAME="open\n  ID=debian\r\nVERSION=a=b',
  );
  assert.deepEqual([message.name, message.id, message.version, codename], ["", "debian", "a=b", ""]);
});

test("the last assignment counts", () => assert.equal(nameFrom("NAME=a\nNAME=b"), "b"));

for (const [word, value] of [
  ["", ""],
  ['""', ""],
  ["Debian GNU/Linux  ", "Debian GNU/Linux"],
  ["Debian\\ \\$x", "Debian $x"],
  ["'single \\ \"double\" $x'", 'single \\ "double" $x'],
  ['"a \\"b\\" \\\\ \\$c \\`d\\` \\n"', 'a "b" \\ $c `d` \\n'],
  ['"it\'s"', "it's"],
] as const) {
  test(`${JSON.stringify(word)} means ${JSON.stringify(value)}`, () => {
    assert.equal(nameFrom(`NAME=${word}`), value);
  });
}

for (const assignment of [
  'NAME="a" # c',
  "NAME='a'\t# c",
  "NAME=a # c",
  " NAME = a\r",
  "export  NAME=a",
  "\ufeffNAME=a",
]) {
  test(`${JSON.stringify(assignment)} is read, as people write it`, () =>
    assert.equal(nameFrom(assignment), "a"));
}

for (const [word, value] of [
  ["a#b", "a#b"],
  ['"a # b"', "a # b"],
  ['"a\\" # b"', 'a" # b'],
  ["a\\ #b", "a #b"],
] as const) {
  test(`only a comment behind white space is left out of ${word}`, () => {
    assert.equal(nameFrom(`NAME=${word}`), value);
  });
}

for (const bad of ['"a"#b', '"a" b', '"', "'", '"a', "a'", '"a"b"', "'a'b'", '"a\\"', '"a"b', "'it\\'s'"]) {
  test(`${bad} is skipped because its quotes do not match`, () => {
    assert.equal(nameFrom(`NAME=before\nNAME=${bad}`), "before");
  });
}

test("values quoted as the manual says round-trip", () => {
  const value = fc.string({ unit: "grapheme" }).filter((text) => !/[\n\r]/.test(text));
  fc.assert(
    fc.property(value, (text) => {
      assert.equal(nameFrom(`NAME="${text.replace(/["\\$`]/g, "\\$&")}"`), text);
    }),
  );
});

test("any bytes are parsed", () => {
  const piece = fc.constantFrom("NAME=", "ID=", '"', "'", "\\", "\n", "=", "#", "$", " ", "\0", "é");
  const content = fc.oneof(
    fc.uint8Array(),
    fc.array(piece).map((all) => Buffer.from(all.join(""))),
  );
  fc.assert(
    fc.property(content, (bytes) => assert.equal(typeof parseOsRelease(bytes).message.name, "string")),
  );
});

for (const filling of ['"', "\\", " ", "\\ ", "\n", "=", "'", "NAME=a\n"]) {
  test(`1 MB of ${JSON.stringify(filling)} is parsed in time`, () => {
    const text = `ID=debian\nNAME="${filling.repeat(1_000_000 / filling.length)}x"`;
    assert.equal(inLinearTime(() => parse(text)).message.id, "debian");
  });
}
