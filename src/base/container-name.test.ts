import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkContainerName } from "./container-name.ts";
import { temporaryName } from "./temporary-name.ts";

test("names by the rule are taken", () => {
  for (const name of ["penguin", "a", "A-1", "x".repeat(63)]) checkContainerName(name);
});

for (const name of [
  "",
  "-a",
  "a-",
  "1a",
  "a_b",
  "a.b",
  "a/b",
  "../a",
  "a b",
  "a\nb",
  "é",
  "x".repeat(64),
  "a\0",
]) {
  test(`${JSON.stringify(name)} is refused with the rule`, () => {
    assert.throws(() => checkContainerName(name), /1 to 63 letters, digits and hyphens/);
  });
}

test("temporary names are refused", () => {
  const names = [temporaryName("create", "0123abcd"), "penguin-crostini-recover", "rootfs-import"];
  for (const name of names)
    assert.throws(() => checkContainerName(name), /reserved for temporary containers/);
});

test("whatever is taken is safe in a path and in a URL", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      try {
        checkContainerName(name);
      } catch {
        return;
      }
      assert.equal(encodeURIComponent(name), name);
    }),
  );
});
