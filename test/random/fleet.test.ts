import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { FleetHost, freePort, recordedBy, runFleet, runFleetHost } from "../support/fleet.ts";

/** The whole with scripts/test --all, else a short form. */
const isLong = Number(process.env.TREMPLIN_RANDOM_SECONDS ?? 60) >= 600;
const SIZE = isLong
  ? { guests: 1_000, rate: 2_000, killedFor: 60_000, kills: 20, steadyFor: 30_000 }
  : { guests: 40, rate: 200, killedFor: 4_000, kills: 3, steadyFor: 0 };
/** What a host may grow while nothing changes but the number of events. Bytes. */
const MAX_GROWTH = 64 * 1024 * 1024;

if (process.argv[2] === "as-host") {
  // A child process runs this file as the host.
  await runFleetHost(JSON.parse(process.argv[3] as string));
} else {
  test("a fleet loses no notice and has none twice while its host is killed at random", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "fleet-"));
    const place = { folder, guests: SIZE.guests, port: await freePort() };
    const host = new FleetHost(import.meta.filename, place);
    t.after(async () => {
      await host.end("SIGKILL");
      await rm(folder, { recursive: true });
    });
    const stop = new AbortController();
    const running = runFleet(place, SIZE.rate, stop.signal);
    const times = Array.from({ length: SIZE.kills }, () => Math.random() * SIZE.killedFor).sort(
      (a, b) => a - b,
    );
    for (const [index, time] of times.entries()) {
      await delay(time - (times[index - 1] ?? 0));
      await host.killAndStart();
    }
    await delay(SIZE.killedFor - (times.at(-1) ?? 0));
    const growth = await growthOf(host);
    stop.abort();
    const { sent } = await running;
    await host.end("SIGTERM");
    const recorded = await recordedBy(folder);
    assert.equal(sent.size, SIZE.guests * 2);
    for (const [container, count] of sent) {
      const expected = Array.from({ length: count }, (_, index) => `${index}`);
      assert.deepEqual(recorded.get(container), expected, container);
    }
    assert.ok(growth < MAX_GROWTH, `the host grew by ${growth} bytes`);
  });
}

/** The first third is for what a host gets when it starts. */
async function growthOf(host: FleetHost): Promise<number> {
  await delay(SIZE.steadyFor / 3);
  const before = host.residentMemory;
  await delay((SIZE.steadyFor * 2) / 3);
  return host.residentMemory - before;
}
