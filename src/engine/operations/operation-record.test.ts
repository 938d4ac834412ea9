import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lxd } from "../flavors/lxd.ts";
import { changesInstance, instanceOf, type OperationRecord } from "./operation-record.ts";

for (const [url, name] of [
  ["/1.0/containers/foo", "foo"],
  ["/1.0/instances/foo", "foo"],
  ["/1.0/instances/foo?project=default", "foo"],
  ["/1.0/instances/foo/snapshots/s", "foo"],
  ["/1.0/instances/a%20b", "a b"],
  ["/1.0/instances/", undefined],
  ["/1.0/instances", undefined],
  ["/1.0/instances/%zz", undefined],
  ["/1.0/images/foo", undefined],
  ["/2.0/instances/foo", undefined],
  ["x/1.0/instances/foo", undefined],
  ["", undefined],
] as const) {
  test(`"${url}" names ${name ?? "no instance"}`, () => assert.equal(instanceOf(url), name));
}

test("an instance is found by its URL, whatever its name", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(
    fc.property(name, (any) => assert.equal(instanceOf(`/1.0/instances/${encodeURIComponent(any)}?x`), any)),
  );
});

const changes = (operation: OperationRecord, instance: string) =>
  changesInstance(operation, instance, lxd.texts);
const operation = (parts: Partial<OperationRecord>): OperationRecord =>
  ({ class: "task", description: "Updating instance", resources: null, ...parts }) as OperationRecord;

test("an operation changes the instances that it lists under instances, containers or both", () => {
  const of = (resources: OperationRecord["resources"]) => changes(operation({ resources }), "c");
  assert.equal(of({ containers: ["/1.0/containers/c"] }), true);
  assert.equal(of({ instances: ["/1.0/instances/other", "/1.0/instances/c"] }), true);
  assert.equal(of({ instances: ["/1.0/instances/cc"] }), false);
  assert.equal(of({ images: ["/1.0/images/c"] }), false);
  assert.equal(of({}), false);
  assert.equal(of(null), false);
});

for (const [parts, isChange] of [
  [{ class: "websocket", description: "Executing command" }, false],
  [{ description: "Executing command" }, false],
  [{ class: "websocket", description: "Showing console" }, false],
  [{ description: "Backing up instance" }, false],
  [{ description: "Starting instance" }, true],
  [{ description: "Something new" }, true],
] as const) {
  const { description } = parts;
  test(`"${description}" (${"class" in parts ? parts.class : "task"}) ${isChange ? "changes" : "does not change"} an instance`, () =>
    assert.equal(
      changes(operation({ ...parts, resources: { instances: ["/1.0/instances/c"] } }), "c"),
      isChange,
    ));
}

test("the creation of a copy changes the copy, not its source", () => {
  const copying = operation({
    description: "Creating instance",
    resources: { instances: ["/1.0/instances/copy", "/1.0/instances/source"] },
  });
  assert.equal(changes(copying, "copy"), true);
  assert.equal(changes(copying, "source"), false);
});
