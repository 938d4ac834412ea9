import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePlace } from "./place.ts";

test("a colon before the first slash names a container, as in scp", () => {
  for (const [text, container, path] of [
    ["web:", "web", ""],
    ["web:/etc/hosts", "web", "/etc/hosts"],
    ["web:a:b", "web", "a:b"],
    ["web:new\nline", "web", "new\nline"],
  ] as const) {
    assert.deepEqual(parsePlace(text), { kind: "container", container, path, text });
  }
  for (const text of [".", "./web:x", "/srv/web:x", "bad_name:x", "a b:c", "1web:x", ":x"]) {
    assert.deepEqual(parsePlace(text), { kind: "own", path: text, text });
  }
  assert.throws(() => parsePlace(""), { code: "invalid" });
});
