import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
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
      // The others are those of polls and of the log.
      if (milliseconds !== 100) return systemClock.sleep(milliseconds, signal);
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

test("an adopted engine that died and stays a zombie is started again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "engine-process-"));
  const executable = join(folder, "lxd");
  await writeFile(executable, "#!/bin/sh\nexec sleep 900\n");
  await chmod(executable, 0o755);
  // Its parent never waits for it.
  const parent = spawn("/bin/sh", ["-c", "sleep 900 & echo $!; exec sleep 900"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(parent.stdout, "data");
  const crashed = Promise.withResolvers<EngineEvent>();
  const engine = new EngineProcess({
    program: { kind: "lxd", executable },
    folder: join(folder, "lxd.d"),
    clock: systemClock,
    log: silentLogger,
    onEvent: crashed.resolve,
  });
  try {
    engine.start(Number(line));
    process.kill(Number(line), "SIGKILL");
    assert.deepEqual(await crashed.promise, { kind: "crashed", wasReady: false });
    while (engine.pid === undefined || engine.pid === Number(line))
      await new Promise((resolve) => setImmediate(resolve));
    process.kill(engine.pid, 0);
  } finally {
    engine.stop();
    parent.kill("SIGKILL");
    if (engine.pid !== undefined) process.kill(engine.pid, "SIGKILL");
    await rm(folder, { recursive: true });
  }
});
