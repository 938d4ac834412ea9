import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionError, engineError, operationError } from "./engine-error.ts";

const socket = { kind: "unix", path: "/run/engine.socket" } as const;

for (const [code, message, expected] of [
  [404, "Instance not found", "not-found"],
  [412, "ETag doesn't match", "conflict"],
  [503, "LXD is shutting down", "unavailable"],
  [409, "anything", "exists"],
  [409, 'Name "c" already in use', "exists"],
  [500, 'Error inserting "default" into database: The profile already exists', "exists"],
  [400, "The network already exists", "exists"],
  [500, "The pool is not found", "failed"],
  [400, "Failed: not found", "failed"],
  [400, "bind: address already in use", "failed"],
  [500, "RTNETLINK answers: File exists", "failed"],
  [400, 'Instance is busy running a "stop" operation', "busy"],
] as const) {
  test(`${code} "${message}" is ${expected}, with the engine's message`, () => {
    const error = engineError(code, message, "GET /x", undefined);
    assert.equal(error.code, expected);
    assert.ok(error.message.includes(message) && error.message.includes("GET /x"));
  });
}

for (const [message, expected] of [
  [
    'Failed creating instance record: Add instance info to the database: This "instances" entry already exists',
    "exists",
  ],
  [
    "Failed creating instance record: UNIQUE constraint failed: instances.project_id, instances.name",
    "exists",
  ],
  ["Image with same fingerprint already exists", "exists"],
  ["Failed to create instance update operation: A matching non-reusable operation has now succeeded", "busy"],
  ["Instance not found", "failed"],
  ['Failed to start device "web": listen tcp 0.0.0.0:80: bind: address already in use', "failed"],
] as const) {
  test(`an operation that ended with "${message}" is ${expected}`, () => {
    const operation = { id: "x" };
    const error = operationError("Creating instance", message, operation);
    assert.equal(error.code, expected);
    assert.equal(error.cause, operation);
    assert.ok(error.message.includes(message) && error.message.includes("Creating instance"));
  });
}

test("an error without an engine at the socket is unavailable and names the socket; any other is failed", () => {
  for (const code of ["ECONNREFUSED", "ENOENT", "ECONNRESET", "EPIPE"]) {
    const error = connectionError(Object.assign(new Error("no"), { code }), socket, "GET /x");
    assert.equal(error.code, "unavailable");
    assert.match(error.message, /\/run\/engine\.socket/);
  }
  const denied = connectionError(Object.assign(new Error("no"), { code: "EACCES" }), socket, "GET /x");
  assert.equal(denied.code, "failed");
  assert.match(denied.message, /\/run\/engine\.socket/);
  const own = engineError(404, "gone", "GET /x", undefined);
  assert.equal(connectionError(own, socket, "GET /x"), own);
});
