import assert from "node:assert/strict";
import { test } from "node:test";
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
