import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Clock, systemClock } from "../../../base/async/clock.ts";
import { silentLogger } from "../../../base/logger.ts";
import { EngineProcess } from "./engine-process.ts";

test("an engine that dies at once is given up after eleven deaths, with its own last words", async () => {
  const folder = await mkdtemp(join(tmpdir(), "engine-process-"));
  const executable = join(folder, "lxd");
  const count = join(folder, "count");
  await writeFile(executable, `#!/bin/sh\necho >>${count}\necho "no room for the database" >&2\nexit 1\n`);
  await chmod(executable, 0o755);
  const given = Promise.withResolvers<void>();
  const failures: string[] = [];
  let naps = 0;
  // Each nap is the one before the next start; after the last death there is none.
  const clock: Clock = {
    ...systemClock,
    async sleep(milliseconds, signal) {
      if (milliseconds < 100) return systemClock.sleep(milliseconds, signal);
      if (++naps === 10) given.resolve();
    },
  };
  const process = new EngineProcess({
    program: { kind: "lxd", executable },
    folder: join(folder, "lxd.d"),
    clock,
    log: silentLogger,
    failed: (program) => failures.push(program),
  });
  try {
    process.start();
    await given.promise;
    while (!process.gaveUpSignal.aborted) await new Promise((resolve) => setImmediate(resolve));
    assert.match(
      process.gaveUpSignal.reason.message,
      /died 11 times within 30 s and is not started again.*no room for the database/s,
    );
    assert.equal(naps, 10);
    // It was never ready, so only that it is given up is a failure.
    assert.deepEqual(failures, ["lxd"]);
  } finally {
    process.stop();
    await rm(folder, { recursive: true });
  }
});
