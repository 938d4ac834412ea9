import assert from "node:assert/strict";
import { test } from "node:test";
import { operationTitle } from "./operation-titles.ts";

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
