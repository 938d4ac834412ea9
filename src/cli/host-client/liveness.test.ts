import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace, RecordedIo } from "../../../test/support/command-line.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { noProgress } from "../progress/progress.ts";
import { HostApi } from "./host-api.ts";
import { watchLiveness } from "./liveness.ts";

const web = { operation: undefined, container: "web" };

test("work that goes on is a sign of life; a guest that is away is a doubt; work that vanished is an error", async (t) => {
  const at = await CommandLinePlace.open(t);
  const clock = new ManualClock();
  using api = new HostApi(at.hostAddress, "");
  const signs: string[] = [];
  const progress = { ...noProgress, alive: () => signs.push("alive"), doubt: () => signs.push("doubt") };
  const stop = new AbortController();
  const pulse = watchLiveness(api, web, progress, () => 7n, clock, stop.signal);
  const beat = async () => {
    await clock.sleeping();
    clock.advance(10_000);
  };
  const operation = { id: "1", kind: "create", containerName: "web" };
  at.guest.operations.push(operation);
  await beat();
  await clock.sleeping();
  assert.deepEqual(signs, ["alive"]);
  await at.guest.close();
  await beat();
  await clock.sleeping();
  assert.deepEqual(signs, ["alive", "doubt"]);
  at.guest.operations.length = 0;
  await at.guest.listen();
  await beat();
  await beat();
  await assert.rejects(pulse, /no longer works on it and never said how it ended/);
});

test("a guest that cannot say is not asked again", async (t) => {
  const at = await CommandLinePlace.open(t, true);
  const clock = new ManualClock();
  using api = new HostApi(at.hostAddress, "");
  const pulse = watchLiveness(api, web, noProgress, () => 7n, clock, new AbortController().signal);
  await clock.sleeping();
  clock.advance(10_000);
  await pulse;
});

test("a command ends when the work has vanished", async (t) => {
  const at = await CommandLinePlace.open(t);
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  at.guest.gate = new Promise(() => undefined);
  const running = at.run("create web --image-server https://x --alias y", io);
  await io.written(/100 %/);
  at.guest.operations.length = 0;
  // The progress and the pulse wait on the clock.
  for (let beat = 0; beat < 2; beat++) {
    await clock.sleeping(2);
    clock.advance(10_000);
  }
  assert.equal(await running, 1);
  assert.match(io.stderr, /never said how it ended/);
});

test("other work on the same container is no sign of life; work that waits for the engine is a doubt, not an end", async (t) => {
  const at = await CommandLinePlace.open(t);
  const clock = new ManualClock();
  using api = new HostApi(at.hostAddress, "");
  const signs: string[] = [];
  const progress = {
    ...noProgress,
    alive: () => signs.push("alive"),
    doubt: (why: string) => signs.push(why),
  };
  const meant = { operation: "1", container: "web" };
  const pulse = watchLiveness(api, meant, progress, () => 7n, clock, new AbortController().signal);
  const beat = async () => {
    await clock.sleeping();
    clock.advance(10_000);
  };
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web", waitsForRecovery: true });
  await beat();
  await clock.sleeping();
  assert.match(signs[0] ?? "", /will go on with it once its engine runs/);
  at.guest.operations.splice(0, 1, { id: "2", kind: "export", containerName: "web" });
  await beat();
  await beat();
  await assert.rejects(pulse, /never said how it ended/);
  assert.equal(signs.length, 1);
});
