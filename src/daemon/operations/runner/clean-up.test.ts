import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pino } from "pino";
import {
  kindOf,
  obstacleOf,
  released,
  request,
  runnerState,
  type StopContext,
  type StopKind,
} from "../../../../test/support/runner-state.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { ContainerStopProgress_Status as Status } from "../../../contract/tremplin_pb.js";

const lost = new TremplinError("unavailable", "no engine answers");

/** A kind whose run loses its engine. */
function losingEngine(recover: StopKind["recover"]): StopKind {
  return kindOf(async function* () {
    throw lost;
  }, recover);
}

for (const [found, status, reason] of [
  [{ status: Status.STOPPED }, Status.STOPPED, ""],
  [undefined, Status.FAILED, "the engine died while it stopped"],
] as const) {
  test(`after the engine died and returned, recovery decides: the work is ${found ? "whole" : "undone"}`, async () => {
    await using state = await runnerState();
    const interruptions: string[] = [];
    const kind = losingEngine(async (_request, _context, interruption) => {
      interruptions.push(interruption);
      return found;
    });
    const { runner } = await state.daemon(kind);
    await runner.begin(kind, "c1", request);
    await state.notices(1);
    assert.deepEqual(state.statuses(), [status]);
    assert.equal(state.reason(), reason);
    assert.deepEqual(interruptions, ["engine"]);
  });
}

test("without an engine FAILED is sent, and the clean-up comes before the next engine counts as running", async () => {
  await using state = await runnerState();
  state.engineAnswers = false;
  const cleanUps: string[] = [];
  const kind = losingEngine(async (_request, _context, interruption) => {
    cleanUps.push(interruption);
    return undefined;
  });
  const { runner, journal } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.notices(1);
  assert.deepEqual(state.statuses(), [Status.FAILED]);
  await assert.rejects(runner.begin(kind, "c1", request), /c1 is busy: .*its clean-up is tried again/);
  assert.equal((await journal.entries()).length, 1);
  state.engineAnswers = true;
  await runner.recover(await journal.entries());
  assert.deepEqual(cleanUps, ["daemon"]);
  assert.equal(runner.locks.holder("c1"), undefined);
  assert.deepEqual(await readdir(state.path), []);
  assert.equal(state.acknowledged.length, 1);
});

test("a debt outlives the daemon: the next one cleans up and sends nothing again", async () => {
  await using state = await runnerState();
  state.engineAnswers = false;
  let cleanUps = 0;
  const kind = losingEngine(async () => {
    cleanUps++;
    return { status: Status.STOPPED };
  });
  const first = await state.daemon(kind);
  await first.runner.begin(kind, "c1", request);
  await state.notices(1);
  await first.stop();
  const second = await state.daemon(kind);
  const left = await second.journal.entries();
  assert.equal(left.length, 1);
  await second.finals.resend(left);
  await second.runner.recover(left);
  await second.stop();
  assert.equal(cleanUps, 1);
  assert.deepEqual(state.statuses(), [Status.FAILED]);
  assert.deepEqual(await readdir(state.path), []);
});

test("a clean-up that fails keeps the lock and is tried again until it succeeds", async () => {
  await using state = await runnerState();
  let isFull = true;
  const kind = kindOf(
    async function* () {
      throw new TremplinError("failed", "no room");
    },
    async () => {
      if (isFull) throw new TremplinError("failed", "the disk is full");
      return undefined;
    },
  );
  const { runner, clock } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.notices(1);
  assert.equal(state.reason(), "no room");
  await clock.sleeping();
  assert.match(runner.locks.holder("c1")?.obstacle ?? "", /the disk is full/);
  isFull = false;
  clock.advance(5_000);
  await released(runner);
  assert.deepEqual(await readdir(state.path), []);
  assert.equal(state.acknowledged.length, 1);
});

test("a debt is cleaned up before the next engine counts as running", async () => {
  await using state = await runnerState();
  let cleanUps = 0;
  const kind = kindOf(
    async function* (_request, { owe }: StopContext) {
      owe("a snapshot is still there");
      return { status: Status.STOPPED };
    },
    async () => {
      cleanUps++;
      return { status: Status.STOPPED };
    },
  );
  const { runner, journal } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.notices(1);
  await released(runner);
  assert.equal((await journal.entries()).length, 1);
  await runner.recover(await journal.entries());
  assert.equal(cleanUps, 1);
  assert.deepEqual(await readdir(state.path), []);
  assert.equal(state.acknowledged.length, 1);
});

test("a clean-up fails, and so does the check for whole work: FAILED is sent and the lock is kept", async () => {
  await using state = await runnerState();
  const broken = new TremplinError("failed", "the shared folder cannot be read");
  const fails = async () => {
    throw broken;
  };
  const run = async function* () {
    throw broken;
  };
  const kind = { ...kindOf(run, fails), whole: fails };
  const { runner } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.notices(1);
  assert.deepEqual(state.statuses(), [Status.FAILED]);
  assert.match(runner.locks.holder("c1")?.obstacle ?? "", /the shared folder cannot be read/);
});

test("an end that cannot be written while the next engine starts is reached once, and then the lock is released", async () => {
  await using state = await runnerState();
  state.engineAnswers = false;
  const ends = Promise.withResolvers<void>();
  const kind = kindOf(
    async function* () {
      await ends.promise;
      throw lost;
    },
    async () => ({ status: Status.STOPPED }),
  );
  const { runner, clock, journal } = await state.daemon(kind);
  const { id } = await runner.begin(kind, "c1", request);
  const obstacle = join(state.path, `${id}.json.new`);
  await mkdir(obstacle);
  ends.resolve();
  await obstacleOf(runner, /cannot be written/);
  state.engineAnswers = true;
  const launched = journal.entries().then((entries) => runner.recover(entries));
  // Either it waits for the end too, or it is through.
  await Promise.race([launched, clock.sleeping(2)]);
  await rm(obstacle, { recursive: true });
  clock.advance(250);
  await launched;
  await state.notices(1);
  await clock.sleeping();
  clock.advance(5_000);
  await released(runner);
  await runner[Symbol.asyncDispose]();
  assert.deepEqual(state.statuses(), [Status.FAILED]);
  assert.deepEqual(await readdir(state.path), []);
});

test("an engine that dies during the clean-up of a cancelled operation: recovery cleans up, and CANCELLED is sent", async () => {
  await using state = await runnerState();
  const begun = Promise.withResolvers<void>();
  const recovered = Promise.withResolvers<AbortSignal>();
  const kind = kindOf(
    async function* (_request, { signal }) {
      begun.resolve();
      await once(signal, "abort");
      throw lost;
    },
    async (_request, { signal }) => {
      recovered.resolve(signal);
      return undefined;
    },
  );
  const { runner } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await begun.promise;
  runner.cancel("stop", "c1", new TremplinError("cancelled", "a user cancelled it"));
  assert.equal((await recovered.promise).aborted, false);
  await state.notices(1);
  assert.deepEqual(state.statuses(), [Status.CANCELLED]);
});

test("a clean-up that fails is logged as an error, and no log line says that it is done", async () => {
  await using state = await runnerState();
  const lines: { readonly level: number; readonly msg: string }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const kind = kindOf(
    async function* () {
      return { status: Status.STOPPED };
    },
    async () => {
      throw new TremplinError("failed", "the disk is full");
    },
  );
  const entry = { kind: "stop", container: "c1", startedAt: 1, request: {}, steps: {} };
  const { runner, journal } = await state.daemon(kind, log);
  await journal.begin({ id: "a", ...entry });
  await runner.recover(await journal.entries());
  assert.deepEqual(
    lines.filter(({ level }) => level >= 50).map(({ msg }) => msg),
    ["the clean-up failed; it will be tried again"],
  );
  assert.deepEqual(
    lines.filter(({ msg }) => /recovered|is done/.test(msg)),
    [],
  );
});
