import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { apiPath } from "./api-path.ts";

test("parts are escaped, and empty parts and dots are refused", () => {
  assert.equal(apiPath("instances", "a b/../c?x#y"), "/1.0/instances/a%20b%2F..%2Fc%3Fx%23y");
  for (const part of ["", ".", ".."]) assert.throws(() => apiPath("instances", part), /cannot be a name/);
});

test("no part can change the structure of the path", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (part) => {
      fc.pre(part !== "." && part !== "..");
      const { pathname, search, hash } = new URL(`http://engine${apiPath("instances", part, "state")}`);
      assert.equal(pathname.split("/").length, 5);
      assert.equal(decodeURIComponent(pathname.split("/")[3] ?? ""), part);
      assert.equal(search + hash, "");
    }),
  );
});
