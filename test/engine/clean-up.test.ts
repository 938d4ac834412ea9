import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { startDaemon } from "../support/daemon.ts";
import { leftBehind } from "../support/left-behind.ts";
import { repository } from "../support/repository.ts";
import { testRun } from "../support/test-run.ts";

test("the clean-up removes a killed daemon with its engine, its pool and its network", async () => {
  const daemon = await startDaemon();
  try {
    await daemon.tremplin.startLxd({});
    assert.equal((await daemon.listener.final("startLxd")).failureReason, "");
    await daemon.kill();
    const left = await leftBehind(testRun);
    for (const word of ["process", "interface", "folder"]) {
      assert.ok(
        left.some((line) => line.startsWith(word) && line.includes(testRun)),
        `no ${word} in ${left}`,
      );
    }
  } finally {
    await daemon[Symbol.asyncDispose]();
  }
  const own = (await leftBehind(testRun)).filter(
    (line) => line.includes(daemon.folder) || line.includes(daemon.bridge),
  );
  assert.deepEqual(own, []);
});

test("a killed test process leaves nothing", async () => {
  const run = `k${process.pid.toString(36)}`;
  const program = `
    const { startDaemon } = await import(${JSON.stringify(join(repository, "test/support/daemon.ts"))});
    const daemon = await startDaemon();
    await daemon.tremplin.startLxd({});
    await daemon.listener.final("startLxd");
    process.kill(process.pid, "SIGKILL");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, TREMPLIN_TEST_RUN: run },
  });
  const words: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => words.push(text));
  // Closed when the last who has its standard error has ended: who cleans up after it has it too.
  const [, signal] = await once(child, "close");
  assert.equal(signal, "SIGKILL", words.join(""));
  assert.deepEqual(await leftBehind(run), []);
});
