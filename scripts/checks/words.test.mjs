import assert from "node:assert/strict";
import { test } from "node:test";
import { avoidedPhrases, checkWords, findPhrases } from "./words.mjs";

const glossary = `# Glossary

| word | meaning | avoid |
|---|---|---|
| guest | the system with the daemon | |
| lock | one operation at a time | lane |
| roll back | return to the state before | put back, putting back |
| beyond the list | words of daily life | whoever |
`;
const phrases = avoidedPhrases(glossary);
const found = (text) => findPhrases(text, phrases).map(({ start, end }) => text.slice(start, end));

test("the column is read with the word to use", () => {
  assert.deepEqual(
    phrases.map(({ avoid, instead }) => `${avoid} -> ${instead}`),
    ["lane -> lock", "put back -> roll back", "putting back -> roll back", "whoever -> beyond the list"],
  );
});

test("whole words are found, in any case and in the plural", () => {
  assert.deepEqual(found("A lane, Lanes and LANE; no planet, no airplanes, no plane"), [
    "lane",
    "Lanes",
    "LANE",
  ]);
});

test("parts of identifiers are found", () => {
  const names = "orderLane laneOf #lane ORDER_LANE lane-of HTTPLane";
  assert.deepEqual(found(names), ["Lane", "lane", "lane", "LANE", "lane", "Lane"]);
});

test("the words of a phrase are joined in many ways", () => {
  for (const text of [
    "put back",
    "put-back",
    "putBack",
    "PUT_BACK",
    "putBack()",
    "put\n// back",
    "put\n   * back",
  ]) {
    assert.equal(found(text).length, 1, text);
  }
  for (const text of ["put it back", "put. Back", "back put", "input back", "put backwards", "put/back"]) {
    assert.deepEqual(found(text), [], text);
  }
});

test("a problem says where it is and what to write instead", () => {
  const tree = new Map([
    ["docs/glossary.md", glossary],
    ["docs/a.md", "fine\nWhoever reads\n"],
    ["src/lane.ts", "export const a = 1;\n"],
    ["src/contract/generated.ts", "lane"],
    ["test/a.ts", "lane"],
  ]);
  assert.deepEqual(checkWords(tree, []), [
    'docs/a.md:2: avoid "Whoever": say it in plain words',
    'src/lane.ts:1: the path contains "lane"; rename it: the glossary has "lock"',
  ]);
});

test("an exception covers its own name and nothing else, and must be needed", () => {
  const tree = new Map([
    ["docs/glossary.md", glossary],
    ["src/a.ts", 'const json = { busLane };\nconst lane = "lane";\n'],
  ]);
  const exception = (text) => ({ text, in: "src/", reason: "a key on disk" });
  assert.deepEqual(checkWords(tree, [exception("busLane"), exception("laneCount")]), [
    'src/a.ts:2: avoid "lane": the glossary has "lock"',
    'src/a.ts:2: avoid "lane": the glossary has "lock"',
    'scripts/checks/words.mjs:1: nothing needs the exception "laneCount"; remove it',
  ]);
});

test("a glossary without the column is a problem", () => {
  assert.equal(checkWords(new Map([["docs/glossary.md", "# Glossary\n"]])).length, 1);
});
