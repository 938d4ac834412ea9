import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { noProgress } from "../progress/progress.ts";
import { HostApi } from "./host-api.ts";
import { watchLiveness } from "./liveness.ts";

const web = { operation: undefined, container: "web" };

test("a running operation is a sign of life; an unreachable guest is a stall; a lost operation is an error", async (t) => {
  const at = await CommandLineFixture.open(t);
  const clock = new ManualClock();
  using api = new HostApi(at.hostAddress, "");
  const signs: string[] = [];
  const progress = {
    ...noProgress,
    heartbeat: () => signs.push("heartbeat"),
    stalled: () => signs.push("stalled"),
  };
  const stop = new AbortController();
  const watching = watchLiveness(api, web, progress, () => 7, clock, stop.signal);
  const interval = async () => {
    await clock.sleeping();
    clock.advance(10_000);
  };
  const operation = { id: "1", kind: "create", containerName: "web" };
  at.guest.operations.push(operation);
  await interval();
  await clock.sleeping();
  assert.deepEqual(signs, ["heartbeat"]);
  await at.guest.close();
  await interval();
  await clock.sleeping();
  assert.deepEqual(signs, ["heartbeat", "stalled"]);
  at.guest.operations.length = 0;
  await at.guest.listen();
  await interval();
  await interval();
  await assert.rejects(watching, /no longer works on it and did not report an end/);
});

test("a guest without a status rpc is polled only once", async (t) => {
  const at = await CommandLineFixture.open(t, true);
  const clock = new ManualClock();
  using api = new HostApi(at.hostAddress, "");
  const watching = watchLiveness(api, web, noProgress, () => 7, clock, new AbortController().signal);
  await clock.sleeping();
  clock.advance(10_000);
  await watching;
});

test("a command fails when its operation is lost", async (t) => {
  const at = await CommandLineFixture.open(t);
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  at.guest.gate = new Promise(() => undefined);
  const running = at.run("create web --image-server https://x --alias y", io);
  await io.written(/100 %/);
  at.guest.operations.length = 0;
  // The progress and the poll wait for the clock.
  for (let count = 0; count < 2; count++) {
    await clock.sleeping(2);
    clock.advance(10_000);
  }
  assert.equal(await running, 1);
  assert.match(io.stderr, /did not report an end/);
});

test("another operation on the container is no sign of life; one that waits for the engine is a stall, not an end", async (t) => {
  const at = await CommandLineFixture.open(t);
  const clock = new ManualClock();
  using api = new HostApi(at.hostAddress, "");
  const signs: string[] = [];
  const progress = {
    ...noProgress,
    heartbeat: () => signs.push("heartbeat"),
    stalled: (reason: string) => signs.push(reason),
  };
  const target = { operation: "1", container: "web" };
  const watching = watchLiveness(api, target, progress, () => 7, clock, new AbortController().signal);
  const interval = async () => {
    await clock.sleeping();
    clock.advance(10_000);
  };
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web", waitsForRecovery: true });
  await interval();
  await clock.sleeping();
  assert.match(signs[0] ?? "", /continues once its engine runs/);
  at.guest.operations.splice(0, 1, { id: "2", kind: "export", containerName: "web" });
  await interval();
  await interval();
  await assert.rejects(watching, /did not report an end/);
  assert.equal(signs.length, 1);
});

test("events and notices of other operations do not keep a lost one alive", async (t) => {
  const at = await CommandLineFixture.open(t);
  const clock = new ManualClock();
  const io = new RecordedIo({ clock });
  at.guest.gate = new Promise(() => undefined);
  const running = at.run("create web --image-server https://x --alias y", io);
  await io.written(/100 %/);
  at.guest.operations.length = 0;
  const pass = async () => {
    await clock.sleeping(2);
    clock.advance(10_000);
  };
  await pass();
  await clock.sleeping(2);
  await at.guest.notify("updateDeletionStatus", { containerName: "other", status: 1 });
  at.guest.status = { undeliveredNotices: 1 };
  await pass();
  assert.equal(await running, 1);
  assert.match(io.stderr, /did not report an end/);
});

test("while the host does not have all notices yet, an operation is not lost", async (t) => {
  const at = await CommandLineFixture.open(t);
  const clock = new ManualClock();
  using api = new HostApi(at.hostAddress, "");
  const stop = new AbortController();
  const watching = watchLiveness(api, web, noProgress, () => 7, clock, stop.signal);
  at.guest.status = { undeliveredNotices: 1 };
  for (let count = 0; count < 3; count++) {
    await clock.sleeping();
    clock.advance(10_000);
  }
  await clock.sleeping();
  stop.abort(new Error("it goes on"));
  await assert.rejects(watching, /it goes on/);
});
