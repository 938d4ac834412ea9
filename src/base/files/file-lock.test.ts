import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { lockFile, tryLockFile } from "./file-lock.ts";

// Hooks outside of a suite would run for the tests of other files as well (scripts/run-tests.mjs).
describe("file locks", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lock-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const never = new AbortController().signal;

  test("one holder at a time; a waiting one gets the lock when it is released", async () => {
    const path = join(folder, "lock");
    const first = await lockFile(path, never);
    assert.equal(await tryLockFile(path, never), undefined);
    const second = lockFile(path, never);
    await first[Symbol.asyncDispose]();
    await using _ = await second;
    assert.equal(await tryLockFile(path, never), undefined);
  });

  test("a child that inherited the lock keeps it", async () => {
    const path = join(folder, "lock");
    const lock = await lockFile(path, never);
    const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore", lock.fd] });
    await lock[Symbol.asyncDispose]();
    assert.equal(await tryLockFile(path, never), undefined);
    child.stdin?.end();
    await once(child, "close");
    await using free = await tryLockFile(path, never);
    assert.ok(free);
  });

  test("waiting ends when the signal aborts, and the holder keeps the lock", async () => {
    const path = join(folder, "lock");
    const first = await lockFile(path, never);
    const controller = new AbortController();
    const waiting = lockFile(path, controller.signal);
    controller.abort();
    await assert.rejects(waiting, { name: "AbortError" });
    await first[Symbol.asyncDispose]();
    await using free = await tryLockFile(path, never);
    assert.ok(free);
  });

  test("the error names a lock that cannot be created", async () => {
    await assert.rejects(tryLockFile(join(folder, "none/lock"), never), /none\/lock/);
  });
});
