import assert from "node:assert/strict";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  kindOf,
  released,
  request,
  runnerState,
  type StopContext,
} from "../../../../test/support/runner-state.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { ContainerStopProgress_Status as Status } from "../../../contract/tremplin_pb.js";

test("progress and one final notice are sent, and the journal is empty afterwards", async () => {
  await using state = await runnerState();
  const kind = kindOf(async function* () {
    yield { status: Status.STOPPING };
    return { status: Status.STOPPED };
  });
  const { runner, stop } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.notices(2);
  await stop();
  assert.deepEqual(state.statuses(), [Status.STOPPING, Status.STOPPED]);
  assert.deepEqual(await readdir(state.path), []);
});

test("an error becomes FAILED with its sentence", async () => {
  await using state = await runnerState();
  const kind = kindOf(
    async function* () {
      throw new TremplinError("failed", "the disk is full");
    },
    async () => undefined,
  );
  const { runner } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.notices(1);
  assert.equal(state.reason(), "the disk is full");
  assert.deepEqual(state.statuses(), [Status.FAILED]);
});

test("a container has one operation at a time, and the refusal names it", async () => {
  await using state = await runnerState();
  const end = Promise.withResolvers<void>();
  const kind = kindOf(async function* () {
    await end.promise;
    return { status: Status.STOPPED };
  });
  const { runner } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await assert.rejects(
    runner.begin(kind, "c1", request),
    /c1 is busy: operation "stop" is under way since 2026-01-01/,
  );
  await runner.begin(kind, "c2", request);
  assert.deepEqual(
    runner.locks.all().map(({ container }) => container),
    ["c1", "c2"],
  );
  end.resolve();
  await state.notices(2);
  await released(runner);
  await runner.begin(kind, "c1", request);
});

test("a cancelled operation ends as CANCELLED with the first cause", async () => {
  await using state = await runnerState();
  const begun = Promise.withResolvers<void>();
  const kind = kindOf(
    async function* (_request, { signal }: StopContext) {
      begun.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      return { status: Status.STOPPED };
    },
    async () => undefined,
  );
  const { runner } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await begun.promise;
  assert.equal(runner.cancel("stop", "other", new TremplinError("cancelled", "no")), false);
  assert.equal(runner.cancel("stop", "c1", new TremplinError("cancelled", "first")), true);
  runner.cancel("stop", "c1", new TremplinError("cancelled", "second"));
  await state.notices(1);
  assert.deepEqual(state.statuses(), [Status.CANCELLED]);
  assert.equal(state.reason(), "first");
});

test("no notice is sent before the rpc is answered", async () => {
  await using state = await runnerState();
  const ran = Promise.withResolvers<void>();
  const kind = kindOf(async function* () {
    yield { status: Status.STOPPING };
    ran.resolve();
    return { status: Status.STOPPED };
  });
  const { runner } = await state.daemon(kind);
  const answer = Promise.withResolvers<void>();
  await runner.begin(kind, "c1", request, answer.promise);
  await ran.promise;
  assert.deepEqual(state.statuses(), []);
  answer.resolve();
  await state.notices(1);
});

test("while the end cannot be written nothing is sent, the lock is kept, and the write is tried again", async () => {
  await using state = await runnerState();
  const ends = Promise.withResolvers<void>();
  const kind = kindOf(async function* () {
    await ends.promise;
    return { status: Status.STOPPED };
  });
  const { runner, clock } = await state.daemon(kind);
  const { id } = await runner.begin(kind, "c1", request);
  const obstacle = join(state.path, `${id}.json.new`);
  await mkdir(obstacle);
  ends.resolve();
  await clock.sleeping();
  assert.deepEqual(state.acknowledged, []);
  await assert.rejects(runner.begin(kind, "c1", request), /busy.*its end cannot be written to the journal/);
  await rm(obstacle, { recursive: true });
  clock.advance(250);
  await state.notices(1);
  await released(runner);
});

test("the outcome has the failure code, and the host only the sentence", async () => {
  await using state = await runnerState();
  const begun = Promise.withResolvers<void>();
  const kind = kindOf(async function* (_request, { setFailureCode }: StopContext) {
    await begun.promise;
    setFailureCode("rollback-failed");
    return { status: Status.FAILED, failureReason: "the rollback failed" };
  });
  const { runner } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  const outcome = runner.outcome("stop", "c1");
  begun.resolve();
  assert.equal((await outcome)?.failureCode, "rollback-failed");
  await state.notices(1);
  assert.equal(state.reason(), "the rollback failed");
});

test("releasing a lock twice does not release another operation's", async () => {
  await using state = await runnerState();
  const { runner } = await state.daemon(
    kindOf(async function* () {
      return { status: Status.STOPPED };
    }),
  );
  const first = runner.locks.take({ id: "a", kind: "stop", container: "c1", startedAt: 1 });
  first[Symbol.dispose]();
  using _second = runner.locks.take({ id: "b", kind: "start", container: "c1", startedAt: 2 });
  first.setObstacle("too late");
  first[Symbol.dispose]();
  assert.deepEqual(runner.locks.holder("c1"), { id: "b", kind: "start", container: "c1", startedAt: 2 });
});

test("an operation that is accepted during the shutdown is left to the next daemon", async () => {
  await using state = await runnerState();
  let runs = 0;
  const kind = kindOf(async function* () {
    runs++;
    return { status: Status.STOPPED };
  });
  const { runner } = await state.daemon(kind);
  const begun = runner.begin(kind, "c1", request);
  await runner[Symbol.asyncDispose]();
  const { id } = await begun;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(runs, 0);
  assert.deepEqual(await readdir(state.path), [`${id}.json`]);
});

test("an operation learns when the host has acknowledged its progress", async () => {
  await using state = await runnerState();
  const yielded = Promise.withResolvers<void>();
  let isAcknowledged = false;
  const kind = kindOf(async function* (_request, { progressAcknowledged }: StopContext) {
    await progressAcknowledged();
    yield { status: Status.STOPPING };
    const acknowledged = progressAcknowledged().then(() => {
      isAcknowledged = true;
    });
    yielded.resolve();
    await acknowledged;
    return { status: Status.STOPPED };
  });
  const { runner, clock } = await state.daemon(kind);
  state.isHostUnreachable = true;
  await runner.begin(kind, "c1", request);
  await yielded.promise;
  await clock.sleeping();
  assert.equal(isAcknowledged, false);
  state.isHostUnreachable = false;
  clock.advance(60_000);
  await state.notices(2);
  assert.deepEqual(state.statuses(), [Status.STOPPING, Status.STOPPED]);
});

test("the work after a cancel continues, and a shutdown leaves it to the next daemon", async () => {
  for (const isShuttingDown of [false, true]) {
    await using state = await runnerState();
    const cleaningUp = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const kind = kindOf(async function* (_request, { signal, shutdownSignal }: StopContext) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      const end = new Promise((_resolve, reject) =>
        shutdownSignal.addEventListener("abort", () => reject(shutdownSignal.reason)),
      );
      cleaningUp.resolve();
      await Promise.race([gate.promise, end]);
      return { status: Status.CANCELLED };
    });
    const { runner } = await state.daemon(kind);
    await runner.begin(kind, "c1", request);
    const outcome = runner.outcome("stop", "c1");
    assert.equal(await runner.outcome("stop", "other"), undefined);
    await Promise.resolve();
    runner.cancel("stop", "c1", new TremplinError("cancelled", "enough"));
    await cleaningUp.promise;
    if (isShuttingDown) await runner[Symbol.asyncDispose]();
    else gate.resolve();
    assert.deepEqual(
      await outcome,
      isShuttingDown ? undefined : { message: { status: Status.CANCELLED }, failureCode: undefined },
    );
    if (isShuttingDown) assert.equal((await readdir(state.path)).length, 1);
  }
});
