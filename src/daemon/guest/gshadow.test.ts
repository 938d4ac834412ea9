import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountFile } from "./account-file.ts";
import { gshadow } from "./gshadow.ts";

function read(text: string) {
  return new AccountFile(gshadow, Buffer.from(text));
}

test("administrators and members are two lists", () => {
  const file = read("audio:*::pulse,testuser\nroot:!::\nteam:!:boss,deputy:boss\n");
  const lists = file.entries.map(({ administrators, members }) => [administrators, members]);
  assert.deepEqual(lists, [
    [[], ["pulse", "testuser"]],
    [[], []],
    [["boss", "deputy"], ["boss"]],
  ]);
});

test("an entry is written as a line", () => {
  const file = read("");
  file.append({ name: "team", password: "!", administrators: ["boss"], members: ["boss", "deputy"] });
  file.append({ name: "root", password: "!", administrators: [], members: [] });
  assert.equal(Buffer.from(file.toBytes()).toString(), "team:!:boss:boss,deputy\nroot:!::\n");
});

for (const bad of ["a:!:x,:", "a:!::x,", "a:!:", "a:!:::", ":!::"]) {
  test(`"${bad}" is refused`, () => {
    assert.throws(() => read(bad), { name: "TremplinError", code: "failed" });
  });
}
