import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLayers, findCycles, findImports, moduleOf } from "./layers.mjs";

const table = {
  "src/base": [],
  "src/daemon/work": ["src/base"],
  "src/daemon/work/runner": ["src/base"],
  "src/daemon/*.ts": ["src/base", "src/daemon/work", "src/daemon/work/runner"],
};

/** A tree in which every module has a file, with some files more. */
function treeOf(files, rows = table) {
  return new Map([
    ["scripts/layers.json", JSON.stringify(rows)],
    ["src/base/a.ts", ""],
    ["src/daemon/main.ts", 'import "../base/a.ts";\nimport { b } from "./work/deep/b.ts";\n'],
    ["src/daemon/work/deep/b.ts", 'import { a } from "../../../base/a.ts";\n'],
    ["src/daemon/work/runner/run.ts", ""],
    ...Object.entries(files),
  ]);
}

test("a tree that keeps to the table has no problem", () => {
  assert.deepEqual(checkLayers(treeOf({})), []);
});

test("an import against the table is a problem, with its line", () => {
  const source = 'import {\n  main,\n} from "../daemon/main.ts";\n';
  assert.deepEqual(checkLayers(treeOf({ "src/base/b.ts": source })), [
    "src/base/b.ts:3: src/base may not import src/daemon/*.ts (src/daemon/main.ts); move the code, or change scripts/layers.json",
  ]);
});

test("a module within a module has rules of its own", () => {
  const source = 'import type { B } from "../deep/b.ts";\n';
  assert.match(
    checkLayers(treeOf({ "src/daemon/work/runner/c.ts": source }))[0],
    /:1: src\/daemon\/work\/runner may not/,
  );
});

test("a folder without a row is a problem", () => {
  assert.deepEqual(checkLayers(treeOf({ "src/daemon/extra/x.ts": "", "src/daemon/extra/y.ts": "" })), [
    "src/daemon/extra:1: this folder is in no module; give it a row in scripts/layers.json",
  ]);
});

test("a row without a file, and one that names an unknown module, are problems", () => {
  assert.deepEqual(checkLayers(treeOf({}, { ...table, "src/gone": ["src/lost"] })), [
    "scripts/layers.json:1: src/gone may import src/lost, which has no row of its own",
    "scripts/layers.json:1: src/gone has no file; remove its row",
  ]);
});

test("only tests import from test/", () => {
  const source = 'import "../../test/support/clock.ts";\n';
  assert.deepEqual(checkLayers(treeOf({ "src/base/a.test.ts": source })), []);
  assert.match(
    checkLayers(treeOf({ "src/base/b.ts": source }))[0],
    /^src\/base\/b\.ts:1: imports test\/support\/clock\.ts/,
  );
});

test("modules that import each other are a problem", () => {
  assert.deepEqual(findCycles({ a: ["b"], b: ["c"], c: ["b"], d: ["a"] }), [["b", "c", "b"]]);
  assert.deepEqual(findCycles({ a: ["b", "c"], b: ["c"], c: [] }), []);
});

test("the longest row that fits is a file's module", () => {
  assert.equal(moduleOf("src/daemon/work/runner/run.ts", table), "src/daemon/work/runner");
  assert.equal(moduleOf("src/daemon/work/runners.ts", table), "src/daemon/work");
  assert.equal(moduleOf("src/daemon/main.ts", table), "src/daemon/*.ts");
  assert.equal(moduleOf("src/daemon/other/a.ts", table), undefined);
});

test("every form of an import is found, and none in comments", () => {
  const source = [
    'import a, { type B } from "./a.ts";',
    "import {",
    "  c,",
    '} from "../c.ts";',
    'import "./effect.ts";',
    'export { d } from "./d.ts";',
    'export * from "./e.ts";',
    'const f = await import("./f.ts");',
    'type G = import("./g.ts").G;',
    'import json from "./h.json" with { type: "json" };',
    'import { test } from "node:test";',
    '// import "./no.ts";',
    ' * from "./neither.ts"',
  ].join("\n");
  const targets = findImports(source).map(({ target }) => target);
  const expected = ["./a.ts", "../c.ts", "./effect.ts", "./d.ts", "./e.ts", "./f.ts", "./g.ts", "./h.json"];
  assert.deepEqual(targets, expected);
});
