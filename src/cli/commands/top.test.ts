import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";

test("without a terminal top measures once, in rates between two measurements", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running").set("db", "stopped");
  const { code, stdout } = await at.output("top --interval 1");
  assert.equal(code, 0);
  assert.match(stdout, /^CONTAINER +CPU +MEMORY +LIMIT +PROCESSES +IN\/S +OUT\/S +DISK$/m);
  assert.match(stdout, /^web +50\.0 % +64 MiB +- +3 +2 KiB +0 B +-$/m);
  assert.doesNotMatch(stdout, /db/);
  const { containers } = JSON.parse((await at.output("top --interval 1 --json")).stdout);
  assert.deepEqual([containers.length, containers[0].cpuPercent], [1, 50]);
});

test("on a terminal it goes on until Ctrl-C, which is no failure", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  const clock = new ManualClock();
  const io = new RecordedIo({ clock, columns: 80 });
  const running = at.run("top", io);
  for (let round = 1; round <= 3; round += 1) {
    await clock.sleeping();
    clock.advance(2_000);
    await io.written(new RegExp(`(web[^]*){${round}}`));
  }
  await clock.sleeping();
  io.ctrlC();
  assert.equal(await running, 0);
});

test("a wrong interval is refused, and nothing runs is said", async (t) => {
  const at = await CommandLineFixture.open(t);
  assert.equal((await at.output("top --interval 0")).code, 2);
  assert.match((await at.output("top --interval 1")).stderr, /no container runs/);
});
