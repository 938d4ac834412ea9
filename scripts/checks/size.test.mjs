import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkSize, measureFunctions } from "./size.mjs";

const lines = (count) => "x\n".repeat(count);

test("files and functions within the limits are no problem", () => {
  const tree = new Map([
    ["src/a.ts", lines(89)],
    ["src/b.ts", lines(350)],
    ["src/c.ts", lines(10)],
    ["src/contract/generated.ts", lines(9000)],
    ["docs/long.md", lines(9000)],
  ]);
  const functions = [
    { path: "src/b.ts", line: 1, lines: 80 },
    ...Array(20).fill({ path: "src/a.ts", line: 1, lines: 5 }),
    { path: "src/contract/generated.ts", line: 1, lines: 900 },
  ];
  assert.deepEqual(checkSize(tree, functions), {
    problems: [],
    summary: "3 files, median in src/ 89 lines; 21 functions of several lines, p90 5, longest 80",
  });
});

test("a long file and a long function are problems, and so are a high median and a high p90", () => {
  const tree = new Map([
    ["src/a.ts", lines(90)],
    ["test/b.test.ts", lines(351)],
    ["test/c.test.ts", 'describe("many", () => {\ntest("one", () => {\n'],
  ]);
  const functions = [
    { path: "src/a.ts", line: 3, lines: 81 },
    { path: "test/c.test.ts", line: 1, lines: 200 },
    { path: "test/c.test.ts", line: 2, lines: 30 },
  ];
  assert.deepEqual(checkSize(tree, functions).problems, [
    "test/b.test.ts:1: the file has 351 lines, more than 350; split it",
    "src/a.ts:3: the function has 81 lines, more than 80; split it",
    "src:1: half of the files have 90 lines or more; keep the median under 90",
    "src:1: one function in ten has 81 lines or more; keep that under 30",
  ]);
});

test("functions are measured whole, whatever is in them", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tremplin-size-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const source = [
    "export const short = () => 1;",
    "export function long(a: string) {",
    "  const text = `}$" + '{a.replace(/[}/]/g, "{")}`; // {',
    "  const inner = () => {",
    "    /* } */",
    "    const value = text;",
    "    return value;",
    "  };",
    "  return inner;",
    "}",
    "class A {",
    "  b() {",
    "    const { c } = { c: 1 };",
    "    return c;",
    "  }",
    "}",
  ];
  writeFileSync(join(folder, "a.ts"), `${source.join("\n")}\n`);
  const found = measureFunctions(folder, ["a.ts"]).map(({ line, lines: count }) => [line, count]);
  assert.deepEqual(
    found.sort(([a], [b]) => a - b),
    [
      [2, 9],
      [4, 5],
      [12, 4],
    ],
  );
});
