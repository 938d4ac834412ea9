import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Clock, systemClock } from "../../../base/async/clock.ts";
import { silentLogger } from "../../../base/logger.ts";
import { type EngineEvent, EngineProcess } from "./engine-process.ts";

test("an engine that crashes at once is given up after eleven crashes, with the end of its log", async () => {
  const folder = await mkdtemp(join(tmpdir(), "engine-process-"));
  const executable = join(folder, "lxd");
  const count = join(folder, "count");
  await writeFile(executable, `#!/bin/sh\necho >>${count}\necho "no room for the database" >&2\nexit 1\n`);
  await chmod(executable, 0o755);
  const given = Promise.withResolvers<void>();
  const events: EngineEvent[] = [];
  let naps = 0;
  // Each nap precedes the next start; none follows the last crash.
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
    onEvent: (event) => events.push(event),
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
    const crashed = { kind: "crashed", wasReady: false };
    const error = process.gaveUpSignal.reason;
    assert.deepEqual(events, [...Array(11).fill(crashed), { kind: "gave-up", error }]);
  } finally {
    process.stop();
    await rm(folder, { recursive: true });
  }
});
