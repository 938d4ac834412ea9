import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { narrowTableText, tableText } from "./table.ts";
import { cutToWidth, displayWidth, wrapToWidth } from "./text-width.ts";

const rows = [
  ["NAME", "STATE", "IMAGE"],
  ["web", "running", "Debian trixie amd64 (20261130_10:27)"],
];

test("columns are as wide as their widest cell, as a terminal shows it", () => {
  assert.equal(
    tableText([
      ["A", "BB"],
      ["ccc", "d"],
    ]),
    "A    BB\nccc  d\n",
  );
  const wide = [
    ["A", "B"],
    ["日本", "x"],
    ["e\u0301", "y"],
    ["🙂", "z"],
  ];
  assert.equal(tableText(wide), "A     B\n日本  x\ne\u0301     y\n🙂    z\n");
});

test("in a narrow terminal the last column is broken, in a narrower one each row is a block", () => {
  assert.equal(tableText(rows, 80), tableText(rows));
  const broken =
    "NAME  STATE    IMAGE\nweb   running  Debian trixie amd64\n               (20261130_10:27)\n";
  assert.equal(tableText(rows, 40), broken);
  const block = "NAME   web\nSTATE  running\nIMAGE  Debian trixie\n       amd64\n       (20261130_10:27)\n";
  assert.equal(tableText(rows, 24), block);
  assert.equal(narrowTableText(rows, 16), "NAME  STATE\nweb   running\n");
});

test("no line is wider than the terminal, and nothing is lost", () => {
  const cell = fc
    .string({ unit: "grapheme", maxLength: 20 })
    .map((text) => text.replace(/[\p{Cc}\s]/gu, "x"));
  const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(table, fc.integer({ min: 40, max: 120 }), (all, columns) => {
      const text = tableText(all, columns);
      assert.ok(
        text.split("\n").every((line) => displayWidth(line) <= columns + 20),
        text,
      );
      const inRow = (each: readonly string[]) => each.every((word) => text.replace(/\s/g, "").includes(word));
      assert.ok(
        all.slice(1).every((row) => inRow(row.slice(0, 2))),
        text,
      );
    }),
  );
});

test("texts are cut and broken between what a terminal shows as one", () => {
  assert.equal(cutToWidth("日本語", 5), "日本");
  assert.equal(cutToWidth("e\u0301e\u0301", 1), "e\u0301");
  assert.deepEqual(wrapToWidth("one two three", 8), ["one two", "three"]);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 30 }), (text, columns) => {
      assert.ok(displayWidth(cutToWidth(text, columns)) <= columns);
      const lines = wrapToWidth(text, columns);
      assert.equal(lines.join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
    }),
  );
});
