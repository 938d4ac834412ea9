import assert from "node:assert/strict";
import { test } from "node:test";
import { addMadeUpFlavor } from "../../../test/support/made-up-flavor.ts";
import { engineError, isCancelled, operationError } from "../http/engine-error.ts";
import { changesInstance, type Operation } from "../operations/operation.ts";
import { parseDownloadProgress, unpackProgress } from "../operations/progress.ts";
import { engineHeaders } from "./flavor.ts";
import { engineKind, engineKinds, findFlavor, flavorOf, flavors } from "./flavors.ts";

test("an engine is known by the name that it gives itself", () => {
  assert.equal(engineKind("lxd"), "lxd");
  assert.equal(flavorOf(engineKind("incus")).label, "Incus");
  assert.equal(engineKinds(), "lxd, incus");
  for (const name of ["docker", "", undefined]) assert.equal(findFlavor(name), undefined);
  assert.throws(() => engineKind("docker"), /calls itself "docker": only lxd and incus are known/);
});

test("each flavor has its own names and its own folder", () => {
  for (const part of ["kind", "label"] as const)
    assert.equal(new Set(flavors.map((flavor) => flavor[part])).size, flavors.length);
  for (const part of ["name", "folderVariable", "package"] as const)
    assert.equal(new Set(flavors.map(({ program }) => program[part])).size, flavors.length);
});

test("headers get the prefix of the engine, and those without a value are left out", () => {
  const headers = { filename: "a", properties: undefined };
  assert.deepEqual(engineHeaders(flavorOf("lxd"), headers), { "X-LXD-filename": "a" });
  assert.deepEqual(engineHeaders(flavorOf("incus"), headers), { "X-Incus-filename": "a" });
});

test("a new engine needs only a flavor in the list", (t) => {
  const flavor = addMadeUpFlavor(t);
  assert.equal(engineKind("acme"), flavor.kind);
  assert.deepEqual(engineHeaders(flavor, { filename: "a" }), { "X-Acme-filename": "a" });
  assert.equal(engineError(400, "choose another name", "POST /x", undefined).code, "exists");
  assert.equal(operationError("Building", "come back later", {}).code, "busy");
  assert.equal(isCancelled("stopped on request"), true);
  assert.equal(parseDownloadProgress("rootfs at 7 of 100"), 7);
  const progress = { stage: "open_crate", percent: "5", speed: "10" };
  assert.deepEqual(unpackProgress({ metadata: { progress } } as unknown as Operation), {
    percent: 5,
    speed: 10,
  });
  const resources = { instances: ["/1.0/instances/c"] };
  const changes = (description: string) =>
    changesInstance({ class: "task", description, resources } as unknown as Operation, "c", flavor.texts);
  assert.equal(changes("Reading logs"), false);
  assert.equal(changes("Executing command"), true);
});
