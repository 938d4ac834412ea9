import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findGroup, parseGroup } from "./find-group.ts";

test("a group is found with its id and members", async () => {
  assert.equal((await findGroup("root"))?.id, 0);
  assert.equal(await findGroup("no-such-group-here"), undefined);
  assert.equal(await findGroup("--help"), undefined);
});

test("a line of the database is read, and anything else is no group", () => {
  assert.deepEqual(parseGroup("tremplin:x:988:anna,bob\n"), { id: 988, members: ["anna", "bob"] });
  assert.deepEqual(parseGroup("tremplin:!:988:\n"), { id: 988, members: [] });
  for (const text of ["", "tremplin", "a:x:-1:", "a:x:1", "a:x:1:b:c", "a:x:1:b\nc:x:2:d\n"]) {
    assert.equal(parseGroup(text), undefined, text);
  }
  fc.assert(fc.property(fc.string(), (text) => void parseGroup(text)));
});
