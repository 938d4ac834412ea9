import assert from "node:assert/strict";
import { test } from "node:test";
import { groupFinding } from "./group-check.ts";

const group = { id: 988, members: ["anna"] };

for (const [title, found, person, state, text, advice] of [
  ["no group", undefined, { name: "anna", session: [1000] }, "note", /needs sudo/, /groupadd.*usermod/],
  [
    "not in it",
    group,
    { name: "bob", session: [1001] },
    "note",
    /bob is not in it/,
    /usermod .* tremplin bob; .* root/,
  ],
  [
    "not in it, by sudo",
    group,
    { name: "bob", session: undefined },
    "note",
    /bob is not in it/,
    /log in again/,
  ],
  [
    "not in this session",
    group,
    { name: "anna", session: [1000] },
    "note",
    /not yet in this login/,
    /newgrp tremplin/,
  ],
  ["in it", group, { name: "anna", session: [1000, 988] }, "good", /needs no sudo/, undefined],
  ["in it, by sudo", group, { name: "anna", session: undefined }, "good", /needs no sudo/, undefined],
  ["as primary group", group, { name: "carl", session: [988] }, "good", /needs no sudo/, undefined],
  ["root", group, { name: "root", session: [0] }, "good", /root needs no group/, undefined],
] as const) {
  test(`doctor on the group: ${title}`, () => {
    const finding = groupFinding(found, person);
    assert.equal(finding.state, state);
    assert.match(finding.found, text);
    if (advice) assert.match(finding.advice ?? "", advice);
    else assert.equal(finding.advice, undefined);
  });
}
