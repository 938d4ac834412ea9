import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TremplinError } from "../../base/tremplin-error.ts";
import { checkUserName } from "./user-name.ts";

for (const good of ["a", "_", "alice", "a-b_c9", "a".repeat(32), "rooty"]) {
  test(`${good} is a valid user name`, () => checkUserName(good));
}

for (const bad of [
  "",
  "9a",
  "-a",
  "Alice",
  "a".repeat(33),
  "a:b",
  "a\nb",
  "a\n",
  "a b",
  "ä",
  "../x",
  "root",
  "backup",
  "www-data",
  "_apt",
  "android-everybody",
]) {
  test(`${JSON.stringify(bad)} is not a valid user name`, () => {
    assert.throws(() => checkUserName(bad), { name: "TremplinError", code: "invalid" });
  });
}

test("accepted names are safe in a line, a path and a command", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z_][a-z0-9_-]*$/)), (name) => {
      try {
        checkUserName(name);
      } catch (error) {
        assert.ok(error instanceof TremplinError);
        return;
      }
      assert.match(name, /^[a-z0-9_-]+$/);
      assert.notEqual(name[0], "-");
    }),
  );
});
