import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { FleetHost, freePort, recordedBy, runFleet, runFleetHost } from "../support/fleet.ts";

/** The whole with scripts/test --all, else a short form. */
const isLong = Number(process.env.TREMPLIN_RANDOM_SECONDS ?? 60) >= 600;
const SIZE = isLong
  ? { guests: 1_000, rate: 2_000, killedFor: 60_000, kills: 20, steadyFor: 30_000 }
  : { guests: 40, rate: 200, killedFor: 4_000, kills: 3, steadyFor: 0 };
/** What a host may grow while nothing changes but the number of events. Bytes. */
const MAX_GROWTH = 64 * 1024 * 1024;
/** Of each container, until the host has what it needs for the whole fleet. */
const WARM_UP_NOTICES = 3;
const WARM_UP_MS = 300_000;

if (process.argv[2] === "as-host") {
  // A child process runs this file as the host.
  await runFleetHost(JSON.parse(process.argv[3] as string));
} else {
  test("a fleet loses no notice and has none twice while its host is killed at random", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "fleet-"));
    const place = { folder, guests: SIZE.guests, port: await freePort() };
    const host = new FleetHost(import.meta.filename, place);
    const [end, abandon] = [new AbortController(), new AbortController()];
    t.after(async () => {
      for (const each of [end, abandon]) each.abort();
      await host.end("SIGKILL");
      await rm(folder, { recursive: true });
    });
    const sent = new Map<string, number>();
    const running = runFleet(place, SIZE.rate, { end: end.signal, abandon: abandon.signal }, sent);
    running.catch(() => undefined);
    const times = Array.from({ length: SIZE.kills }, () => Math.random() * SIZE.killedFor).sort(
      (a, b) => a - b,
    );
    for (const [index, time] of times.entries()) {
      await delay(time - (times[index - 1] ?? 0));
      await host.killAndStart();
    }
    await delay(SIZE.killedFor - (times.at(-1) ?? 0));
    const growth = isLong ? await growthOf(host, sent) : 0;
    end.abort();
    await running;
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

/** What the host grows by once every container has sent it some notices since its start. */
async function growthOf(host: FleetHost, sent: ReadonlyMap<string, number>): Promise<number> {
  const atStart = new Map(sent);
  const isWarm = ([container, count]: [string, number]) =>
    count >= (atStart.get(container) ?? 0) + WARM_UP_NOTICES;
  const warm = async () => ([...sent].every(isWarm) ? true : undefined);
  await eventually("the last of the fleet", warm, WARM_UP_MS);
  const before = await leastMemory(host);
  await delay(SIZE.steadyFor / 3);
  return (await leastMemory(host)) - before;
}

/** In the third of a steady time: garbage comes and goes. */
async function leastMemory(host: FleetHost): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let second = 0; second < SIZE.steadyFor / 3_000; second++) {
    least = Math.min(least, host.residentMemory);
    await delay(1_000);
  }
  return least;
}
