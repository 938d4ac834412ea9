import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLinks } from "./links.mjs";

const tree = new Map([
  ["README.md", "# Tremplin\n"],
  ["docs/api.md", "# API\n\n## Notices and the host\n\n## `StartLxd`\n"],
  ["docs/decisions/0001-first.md", "# First\n"],
  ["src/daemon/main.ts", ""],
]);
const problems = (path, text) => checkLinks(new Map([...tree, [path, text]]));

test("links that lead somewhere are no problem", () => {
  const text = [
    "[a](api.md) [b](api.md#notices-and-the-host) [c](#here) [d](decisions) [e](/README.md) [f](../src/daemon/main.ts)",
    "[g](https://example.org/nothing.md#x) ![h](mailto:a@example.org) [i][ref] `[j](gone.md)`",
    "## Here",
    "[ref]: api.md#startlxd",
    "```",
    "[k](gone.md)",
    "```",
  ].join("\n");
  assert.deepEqual(problems("docs/a.md", text), []);
});

test("a link to a file or an anchor that does not exist is a problem, with its line", () => {
  assert.deepEqual(
    problems("docs/a.md", "fine\n[a](gone.md) and [b](api.md#gone)\n[c](#gone)\n[d]: ../gone.md\n"),
    [
      "docs/a.md:2: the link leads to docs/gone.md, which does not exist",
      "docs/a.md:2: docs/api.md has no heading with the anchor #gone",
      "docs/a.md:3: docs/a.md has no heading with the anchor #gone",
      "docs/a.md:4: the link leads to gone.md, which does not exist",
    ],
  );
});

test("documents are named in sources by their paths from the root", () => {
  const good =
    "// docs/api.md#startlxd, docs/decisions/0001-first.md; (README.md) https://example.org/docs/gone.md\n";
  assert.deepEqual(problems("src/a.ts", good), []);
  for (const bad of [
    "gone.md 5.4",
    "api.md",
    "docs/gone.md",
    "docs/api.md#gone",
    "docs/decisions/0001",
    "design: x",
  ]) {
    assert.equal(problems("src/a.ts", `\n/** ${bad}. */\n`).length, 1, bad);
    assert.match(problems("src/a.ts", `\n/** ${bad}. */\n`)[0], /^src\/a\.ts:2: /, bad);
  }
});

test("documents name sources that exist", () => {
  const good =
    "`src/daemon/main.ts`, `main.ts`, `daemon/main.ts`, `src/daemon/`, `src/daemon/NAME.ts`, `STATE/lxd.log`, `src/**/*.ts`";
  assert.deepEqual(problems("docs/a.md", good), []);
  for (const bad of ["`src/daemon/gone.ts`", "`gone.test.ts`", "`test/gone/`", "`proto/gone.proto`"]) {
    assert.equal(problems("docs/a.md", bad).length, 1, bad);
  }
});
