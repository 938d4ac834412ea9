import assert from "node:assert/strict";
import { test } from "node:test";
import { addFakeFlavor } from "../../test/support/fake-flavor.ts";
import { engineHeaders } from "./flavors/flavor.ts";
import { engineKind } from "./flavors/flavors.ts";
import { engineError, isCancelled, operationError } from "./http/engine-error.ts";
import { changesInstance, type OperationRecord } from "./operations/operation-record.ts";
import { parseDownloadProgress, unpackProgress } from "./operations/progress.ts";

test("a new engine needs only a flavor in the list", (t) => {
  const flavor = addFakeFlavor(t);
  assert.equal(engineKind("acme"), flavor.kind);
  assert.deepEqual(engineHeaders(flavor, { filename: "a" }), { "X-Acme-filename": "a" });
  assert.equal(engineError(400, "choose another name", "POST /x", undefined).code, "exists");
  assert.equal(operationError("Building", "come back later", {}).code, "busy");
  assert.equal(isCancelled("stopped on request"), true);
  assert.equal(parseDownloadProgress("rootfs at 7 of 100"), 7);
  const progress = { stage: "open_crate", percent: "5", speed: "10" };
  assert.deepEqual(unpackProgress({ metadata: { progress } } as unknown as OperationRecord), {
    percent: 5,
    speed: 10,
  });
  const resources = { instances: ["/1.0/instances/c"] };
  const changes = (description: string) =>
    changesInstance(
      { class: "task", description, resources } as unknown as OperationRecord,
      "c",
      flavor.texts,
    );
  assert.equal(changes("Reading logs"), false);
  assert.equal(changes("Executing command"), true);
});
