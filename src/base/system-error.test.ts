import assert from "node:assert/strict";
import { mkdtempDisposable, open, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { errorMessage } from "./tremplin-error.ts";

async function errorOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => assert.fail("it worked"),
    (error) => errorMessage(error),
  );
}

test("the error of a system call becomes a plain sentence with its path", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "tremplin-test-"));
  const { path } = folder;
  assert.equal(await errorOf(readFile(`${path}/no`)), `${path}/no: there is no such file or folder`);
  assert.equal(await errorOf(open(path, "w")), `${path}: it is a folder`);
  const long = `${path}/${"x".repeat(300)}`;
  assert.equal(await errorOf(readFile(long)), `${long}: its name is too long`);
});

test("a socket without a server: nothing listens there", async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  connect({ path: "/nowhere/x.sock" }).on("error", reject);
  assert.match(await errorOf(promise), /nothing listens there$/);
});

test("an unknown error keeps its message", () => {
  assert.equal(errorMessage(new Error("words")), "words");
  assert.equal(errorMessage(Object.assign(new Error("words"), { code: "EODD", path: "/x" })), "words");
});
