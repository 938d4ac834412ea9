import assert from "node:assert/strict";
import { test } from "node:test";
import { debugSections } from "./debug-sections.ts";

test("each part has its title and its lines", () => {
  assert.deepEqual(debugSections("== daemon\nversion 1\n\n== container web\nRunning\n  at 3\n"), [
    { title: "daemon", body: "version 1" },
    { title: "container web", body: "Running\n  at 3" },
  ]);
});

test("a text without parts is one", () => {
  assert.deepEqual(debugSections("anything\nelse"), [{ title: "What it says", body: "anything\nelse" }]);
  assert.deepEqual(debugSections(""), []);
});
