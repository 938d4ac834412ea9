import assert from "node:assert/strict";
import { test } from "node:test";
import { operationStep, operationTitle } from "./operation-titles.ts";

test("an operation is called what the guest says it is", () => {
  assert.equal(operationTitle("upgrade", "snapshot"), "Snapshot");
  assert.equal(operationTitle("upgrade", "restore"), "Return to a snapshot");
  assert.equal(operationTitle("upgrade", "upgrade"), "Release upgrade");
  assert.equal(operationTitle("create", "copy"), "Copy");
});

test("one of which only the notices are known is not called by one of several kinds", () => {
  assert.equal(operationTitle("upgrade"), "Upgrade, snapshot or restore");
  assert.equal(operationTitle("create"), "Create, copy or rename");
  assert.equal(operationTitle("export"), "Backup");
  assert.equal(operationTitle("upgrade", "of-a-newer-guest"), "Upgrade, snapshot or restore");
  assert.equal(operationTitle("a_new_one"), "a new one");
});

test("a copy or a rename is not called a fetching, though a creation reports by the same notices", () => {
  const reported = { kind: "create", text: "fetching the image", percent: 0 };
  assert.deepEqual(operationStep(reported, "copy"), { text: "copying the container" });
  assert.deepEqual(operationStep(reported, "rename"), { text: "renaming the container" });
  assert.deepEqual(operationStep(reported, "create"), { text: "fetching the image", percent: 0 });
  assert.deepEqual(operationStep(reported, undefined), { text: "under way" });
  const fetching = { ...reported, percent: 40 };
  assert.deepEqual(operationStep(fetching, undefined), { text: "fetching the image", percent: 40 });
  const snapshot = { kind: "upgrade", text: "taking a snapshot" };
  assert.deepEqual(operationStep(snapshot, "snapshot"), { text: "taking a snapshot" });
});
