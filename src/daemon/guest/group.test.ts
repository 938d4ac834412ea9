import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountFile } from "./account-file.ts";
import { group } from "./group.ts";

function read(text: string) {
  return new AccountFile(group, Buffer.from(text));
}

test("members are read in order", () => {
  assert.deepEqual(read("audio:x:29:pulse,testuser\n").named("audio"), {
    name: "audio",
    password: "x",
    gid: 29,
    members: ["pulse", "testuser"],
  });
});

test("no member is an empty list", () => {
  assert.deepEqual(read("testuser:x:1000:").named("testuser")?.members, []);
});

test("an entry is written as a line", () => {
  const file = read("testuser:x:1000:\n");
  const entry = file.named("testuser");
  assert.ok(entry);
  file.replace(entry, { ...entry, members: ["a", "b"] });
  assert.equal(Buffer.from(file.toBytes()).toString(), "testuser:x:1000:a,b\n");
});

for (const bad of ["a:x:1:asdf,", "a:x:1:,asdf", "a:x:1:,", "a:x:1:a,,b", "a:x:-1:", "a:x:1", ":x:1:"]) {
  test(`"${bad}" is refused`, () => {
    assert.throws(() => read(bad), { name: "TremplinError", code: "failed" });
  });
}
