import assert from "node:assert/strict";
import { test } from "node:test";
import { nameInFile } from "./name-in-file.ts";

test("the name of a file suggests that of its container", () => {
  assert.equal(nameInFile("penguin-20261126-204930.tar.gz"), "penguin");
  assert.equal(nameInFile("penguin-20261126-204930.tar (1).gz"), "penguin");
  assert.equal(nameInFile("my web.tar.zst"), "my-web");
  assert.equal(nameInFile("web.tgz"), "web");
  assert.equal(nameInFile("2026.tar"), "");
  assert.equal(nameInFile("ü.tar"), "");
});
