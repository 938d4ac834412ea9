import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { MANY_TOKENS, parseHostileYaml } from "./parse-hostile-yaml.ts";

const SCRIPT = `#!/bin/sh
# ${"-".repeat(300)} [[[ {{{ !!! *** %%%
${" ".repeat(300)}true && ${"false && ".repeat(200)}echo "a & b" * !x [ { %
`;

test("characters of YAML inside of values are no constructs, however many", () => {
  const snapshot = { config: { "user.user-data": SCRIPT }, devices: {}, profiles: [], ephemeral: false };
  const backup = { container: snapshot, snapshots: Array.from({ length: 500 }, () => snapshot) };
  for (const text of [stringify(backup, { aliasDuplicateObjects: false }), JSON.stringify(backup)]) {
    assert.deepEqual(
      inLinearTime(() => parseHostileYaml(text, MANY_TOKENS)),
      backup,
    );
  }
});

test("comments and blank lines of any indentation are no nesting", () => {
  const blank = `${" ".repeat(1000)}# far to the right\n${" ".repeat(1000)}\n`;
  assert.deepEqual(parseHostileYaml(`a:\n${blank}  b: 1\n${blank}`), { a: { b: 1n } });
});

test("of several documents the first is used", () => {
  assert.deepEqual(parseHostileYaml("---\na: b\n---\nc: d\n"), { a: "b" });
});

test("a few anchors and aliases are resolved", () => {
  assert.deepEqual(parseHostileYaml("a: &a {b: c}\nd: *a\n"), { a: { b: "c" }, d: { b: "c" } });
});

const deep = (open: string, depth: number): string => open.repeat(depth);
const nested = Array.from({ length: 300 }, (_, level) => `${" ".repeat(level)}a:\n`).join("");

for (const [what, text, reason] of [
  ["nested brackets", deep("[", 300), /too many levels of nesting/],
  ["nested maps", deep("{a: ", 300), /too many levels of nesting/],
  ["nested lists on a line", deep("- ", 300), /too many levels of nesting/],
  ["nested keys on a line", deep("? ", 300), /too many levels of nesting/],
  ["nested maps on lines", nested, /too many levels of nesting/],
  ["aliases", `a: &a 1\n${"b: *a\n".repeat(101)}`, /too many anchors and aliases/],
  ["tags", "- !a b\n".repeat(1001), /too many tags/],
  ["tokens", "a: b\n".repeat(100_000), /too many parts/],
  ["an alias of nothing", "a: *b\n", /its line 1 is not valid YAML|refers to an anchor that is not there/],
  [
    "a tab as indentation",
    "a:\n\tb: c\n",
    /^its line 2 is indented with a tab, where only spaces are allowed$/,
  ],
  ["a missing colon", "a: b\nc\nd: e\n", /^its line \d .*$/],
] as const) {
  test(`${what} are refused in a sentence`, () => {
    assert.throws(() => parseHostileYaml(text), { name: "TremplinError", code: "invalid", message: reason });
  });
}

test("aliases of aliases cannot fill the memory", () => {
  const names = [..."abcdefghi"];
  const lines = names.map((name, index) => {
    const before = names[index - 1];
    return `${name}: &${name} [${(before ? `*${before}, ` : "x, ").repeat(9)}]\n`;
  });
  const refused = /refers to an anchor .*too often/;
  assert.throws(() => inLinearTime(() => parseHostileYaml(lines.join(""))), { message: refused });
});

test("any text is parsed or refused with a sentence", () => {
  const piece = fc.constantFrom(
    ..."[]{}:,?-&*!|>%@`'\"#~ \t\n\r\ufeff\0a1<=\\",
    "---",
    "...",
    "<<",
    "!!int ",
    "&a ",
    "*a ",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(piece).map((pieces) => pieces.join("")),
        fc.string({ unit: "binary" }),
      ),
      (text) => {
        try {
          parseHostileYaml(text);
        } catch (error) {
          assert.ok(error instanceof TremplinError, String(error));
          assert.match(error.message, /^it(s line \d+)? [\w ,]+$/);
        }
      },
    ),
  );
});
