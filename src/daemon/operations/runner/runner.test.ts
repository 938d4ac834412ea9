import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { silentLogger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import {
  ContainerStopProgress_Status as Status,
  StopContainerRequestSchema,
} from "../../../contract/tremplin_pb.js";
import { FinalNotices } from "../../notices/final-notices.ts";
import { Journal } from "../../notices/journal.ts";
import { type Notice, notice } from "../../notices/notice.ts";
import { NoticeQueue } from "../../notices/notice-queue.ts";
import { RejectedNotices } from "../../notices/rejected-notices.ts";
import type { OperationContext, OperationKind } from "./operation.ts";
import { Runner } from "./runner.ts";

type StopKind = OperationKind<typeof StopContainerRequestSchema, "updateStopStatus">;
type StopNotice = Notice<"updateStopStatus">;

/** A kind whose course the test decides. */
function kindOf(run: StopKind["run"], recover?: StopKind["recover"]): StopKind {
  return {
    name: "stop",
    request: StopContainerRequestSchema,
    notify: "updateStopStatus",
    run,
    failed: (_request, error) => ({ status: Status.FAILED, failureReason: error.message }),
    cancelled: (_request, cause) => ({ status: Status.CANCELLED, failureReason: cause.message }),
    recover: recover ?? (async () => ({ status: Status.STOPPED })),
    interrupted: (_request, cause) => `${cause} while it stopped`,
  };
}

/** A state folder in which one daemon after the other can live, and what the host heard from all of them. */
async function stateFolder() {
  const path = await mkdtemp(join(tmpdir(), "runner-"));
  const heard: { readonly id: string; readonly notice: StopNotice }[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const daemons: { readonly runner: Runner; readonly outbox: NoticeQueue }[] = [];
  const state = {
    path,
    hostIsAway: false,
    engineAnswers: true,
    heard,
    statuses: () => heard.map(({ notice }) => notice.message.status),
    hears(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      if (heard.length >= count) resolve();
      return promise;
    },
    async daemon(kind: StopKind) {
      const clock = new ManualClock();
      const log = silentLogger;
      const deliver = async (notice: Notice, id: string) => {
        if (state.hostIsAway) return { kind: "unreachable" as const, reason: "away" };
        if (notice.method === "tremplinReady") return { kind: "acknowledged" as const };
        heard.push({ id, notice: notice as StopNotice });
        for (const { count, resolve } of waiting) if (heard.length >= count) resolve();
        return { kind: "acknowledged" as const };
      };
      const outbox = new NoticeQueue({ deliver, clock, log });
      const journal = await Journal.open(path, log);
      const refused = await RejectedNotices.open({ folder: `${path}-refused`, queue: outbox, clock, log });
      const finals = new FinalNotices({ journal, queue: outbox, rejected: refused, clock, log });
      const engineAnswers = async () => state.engineAnswers;
      const runner = new Runner({ journal, outbox, finals, engineAnswers, clock, log });
      runner.add(kind);
      daemons.push({ runner, outbox });
      const ready = { method: "tremplinReady", message: {} } as unknown as Notice;
      await outbox.open({ id: "ready", orderingKey: "", notice: ready, final: true });
      return { runner, outbox, finals, refused, clock, journal };
    },
    /** Nobody writes into the folder any more when it goes. */
    async [Symbol.asyncDispose]() {
      for (const { runner, outbox } of daemons) {
        await runner[Symbol.asyncDispose]();
        await outbox[Symbol.asyncDispose]();
      }
      await rm(path, { recursive: true });
      await rm(`${path}-refused`, { recursive: true, force: true });
    },
  };
  return state;
}

/** Resolves once nobody has the container c1. */
async function freed({ locks }: Runner): Promise<void> {
  while (locks.holder("c1")) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves once whoever has the container c1 says so. */
async function explained({ locks }: Runner, obstacle: RegExp): Promise<void> {
  while (!obstacle.test(locks.holder("c1")?.obstacle ?? "")) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const request = create(StopContainerRequestSchema, { containerName: "c1" });

test("progress and then one final notice, and the journal is empty again", async () => {
  await using state = await stateFolder();
  const kind = kindOf(async function* () {
    yield { status: Status.STOPPING };
    return { status: Status.STOPPED };
  });
  const { runner, outbox } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.hears(2);
  await runner[Symbol.asyncDispose]();
  await outbox[Symbol.asyncDispose]();
  assert.deepEqual(state.statuses(), [Status.STOPPING, Status.STOPPED]);
  assert.deepEqual(await readdir(state.path), []);
});

test("a throw becomes FAILED with the sentence", async () => {
  await using state = await stateFolder();
  const kind = kindOf(
    async function* () {
      throw new TremplinError("failed", "the disk is full");
    },
    async () => undefined,
  );
  const { runner } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.hears(1);
  assert.equal(state.heard[0]?.notice.message.failureReason, "the disk is full");
  assert.deepEqual(state.statuses(), [Status.FAILED]);
});

test("a container has one operation at a time; the refusal names it; others are free", async () => {
  await using state = await stateFolder();
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
  await state.hears(2);
  await freed(runner);
  await runner.begin(kind, "c1", request);
});

test("a cancel ends as CANCELLED with the first cause", async () => {
  await using state = await stateFolder();
  const begun = Promise.withResolvers<void>();
  const kind = kindOf(
    async function* (_request, { signal }: OperationContext) {
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
  await state.hears(1);
  assert.deepEqual(state.statuses(), [Status.CANCELLED]);
  assert.equal(state.heard[0]?.notice.message.failureReason, "first");
});

test("no notice leaves before the rpc was answered", async () => {
  await using state = await stateFolder();
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
  await state.hears(1);
});

test("the next daemon recovers what was under way, from its steps, once", async () => {
  await using state = await stateFolder();
  const begun = Promise.withResolvers<void>();
  let recovered = 0;
  const kind = kindOf(
    async function* (_request, { step, signal }: OperationContext) {
      await step("aside", "c1-old");
      begun.resolve();
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      return { status: Status.STOPPED };
    },
    async (_request, { steps }) => {
      recovered++;
      return { status: Status.FAILED, failureReason: `put back ${steps.aside}` };
    },
  );
  const first = await state.daemon(kind);
  await first.runner.begin(kind, "c1", request);
  await begun.promise;
  await first.runner[Symbol.asyncDispose]();
  await first.outbox[Symbol.asyncDispose]();
  assert.equal(state.heard.length, 0);
  const second = await state.daemon(kind);
  await second.runner.recover(await second.journal.entries());
  await second.runner.recover(await second.journal.entries());
  await state.hears(1);
  await second.outbox[Symbol.asyncDispose]();
  assert.equal(state.heard[0]?.notice.message.failureReason, "put back c1-old");
  assert.equal(recovered, 1);
  assert.deepEqual(await readdir(state.path), []);
});

test("a final notice that the host had not taken is sent by the next daemon under the same id", async () => {
  await using state = await stateFolder();
  const kind = kindOf(async function* () {
    return { status: Status.STOPPED };
  });
  const first = await state.daemon(kind);
  state.hostIsAway = true;
  const { id } = await first.runner.begin(kind, "c1", request);
  await first.clock.sleeping();
  await first.runner[Symbol.asyncDispose]();
  await first.outbox[Symbol.asyncDispose]();
  state.hostIsAway = false;
  const second = await state.daemon(kind);
  const left = await second.journal.entries();
  await second.finals.resend(left);
  await second.runner.recover(left);
  await state.hears(1);
  await second.outbox[Symbol.asyncDispose]();
  assert.deepEqual(
    state.heard.map((each) => each.id),
    [`${id}-end`],
  );
  assert.deepEqual(await readdir(state.path), []);
});

const lost = new TremplinError("unavailable", "no engine answers");

/** A kind whose run loses its engine. */
function loser(recover: StopKind["recover"]): StopKind {
  return kindOf(async function* () {
    throw lost;
  }, recover);
}

for (const [found, status, reason] of [
  [{ status: Status.STOPPED }, Status.STOPPED, ""],
  [undefined, Status.FAILED, "the engine died while it stopped"],
] as const) {
  test(`an engine that dies in the middle and comes back to ${found ? "whole" : "no"} work: what is there decides`, async () => {
    await using state = await stateFolder();
    const interruptions: string[] = [];
    const kind = loser(async (_request, _context, interruption) => {
      interruptions.push(interruption);
      return found;
    });
    const { runner } = await state.daemon(kind);
    await runner.begin(kind, "c1", request);
    await state.hears(1);
    assert.deepEqual(state.statuses(), [status]);
    assert.equal(state.heard[0]?.notice.message.failureReason, reason);
    assert.deepEqual(interruptions, ["engine"]);
  });
}

test("an engine that does not come back: FAILED is sent, and the next engine does not count before the clean-up", async () => {
  await using state = await stateFolder();
  state.engineAnswers = false;
  const cleanUps: string[] = [];
  const kind = loser(async (_request, _context, interruption) => {
    cleanUps.push(interruption);
    return undefined;
  });
  const { runner, journal } = await state.daemon(kind);
  await runner.begin(kind, "c1", request);
  await state.hears(1);
  assert.deepEqual(state.statuses(), [Status.FAILED]);
  await assert.rejects(runner.begin(kind, "c1", request), /c1 is busy: .*its clean-up is tried again/);
  assert.equal((await journal.entries()).length, 1);
  state.engineAnswers = true;
  await runner.recover(await journal.entries());
  assert.deepEqual(cleanUps, ["daemon"]);
  assert.equal(runner.locks.holder("c1"), undefined);
  assert.deepEqual(await readdir(state.path), []);
  assert.equal(state.heard.length, 1);
});

test("a debt outlives the daemon: the next one cleans up, and nothing is said twice", async () => {
  await using state = await stateFolder();
  state.engineAnswers = false;
  let cleanUps = 0;
  const kind = loser(async () => {
    cleanUps++;
    return { status: Status.STOPPED };
  });
  const first = await state.daemon(kind);
  await first.runner.begin(kind, "c1", request);
  await state.hears(1);
  await first.runner[Symbol.asyncDispose]();
  await first.outbox[Symbol.asyncDispose]();
  const second = await state.daemon(kind);
  const left = await second.journal.entries();
  assert.equal(left.length, 1);
  await second.finals.resend(left);
  await second.runner.recover(left);
  await second.runner[Symbol.asyncDispose]();
  await second.outbox[Symbol.asyncDispose]();
  assert.equal(cleanUps, 1);
  assert.deepEqual(state.statuses(), [Status.FAILED]);
  assert.deepEqual(await readdir(state.path), []);
});

test("a clean-up that cannot be done keeps the container locked and is tried again until it can", async () => {
  await using state = await stateFolder();
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
  await state.hears(1);
  assert.equal(state.heard[0]?.notice.message.failureReason, "no room");
  await clock.sleeping();
  assert.match(runner.locks.holder("c1")?.obstacle ?? "", /the disk is full/);
  isFull = false;
  clock.advance(5_000);
  await freed(runner);
  assert.deepEqual(await readdir(state.path), []);
  assert.equal(state.heard.length, 1);
});

test("what an operation owes at its end is cleaned up before the next engine counts", async () => {
  await using state = await stateFolder();
  let cleanUps = 0;
  const kind = kindOf(
    async function* (_request, { owe }: OperationContext) {
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
  await state.hears(1);
  await freed(runner);
  assert.equal((await journal.entries()).length, 1);
  await runner.recover(await journal.entries());
  assert.equal(cleanUps, 1);
  assert.deepEqual(await readdir(state.path), []);
  assert.equal(state.heard.length, 1);
});

test("an end that cannot be written is none: the container stays locked, nothing is sent, and it is tried again", async () => {
  await using state = await stateFolder();
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
  assert.deepEqual(state.heard, []);
  await assert.rejects(runner.begin(kind, "c1", request), /busy.*its end cannot be written to the journal/);
  await rm(obstacle, { recursive: true });
  clock.advance(250);
  await state.hears(1);
  await freed(runner);
});

test("a step that cannot be written is not taken for noted", async () => {
  await using state = await stateFolder();
  const seen: unknown[] = [];
  const kind = kindOf(async function* (_request, { id, step, steps: _before, ...context }: OperationContext) {
    await mkdir(join(state.path, `${id}.json.new`));
    await step("saved").catch(() => undefined);
    seen.push(context);
    await rm(join(state.path, `${id}.json.new`), { recursive: true });
    return { status: Status.STOPPED };
  });
  const watching = kindOf(async function* (message, context: OperationContext) {
    const end = yield* kind.run(message, context);
    seen.push(context.steps);
    return end;
  });
  const { runner } = await state.daemon(watching);
  await runner.begin(watching, "c1", request);
  await state.hears(1);
  assert.deepEqual(seen.at(-1), {});
});

test("a clean-up that cannot be done, and a look for the work that fails too: FAILED is sent and the container stays locked", async () => {
  await using state = await stateFolder();
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
  await state.hears(1);
  assert.deepEqual(state.statuses(), [Status.FAILED]);
  assert.match(runner.locks.holder("c1")?.obstacle ?? "", /the shared folder cannot be read/);
});

test("an end that cannot be written while the next engine comes: one final, and the lock is nobody else's to free", async () => {
  await using state = await stateFolder();
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
  await explained(runner, /cannot be written/);
  state.engineAnswers = true;
  const launched = journal.entries().then((entries) => runner.recover(entries));
  // Either it waits for the end too, or it is through.
  await Promise.race([launched, clock.sleeping(2)]);
  await rm(obstacle, { recursive: true });
  clock.advance(250);
  await launched;
  await state.hears(1);
  await clock.sleeping();
  clock.advance(5_000);
  await freed(runner);
  await runner[Symbol.asyncDispose]();
  assert.deepEqual(state.statuses(), [Status.FAILED]);
  assert.deepEqual(await readdir(state.path), []);
});

test("a lock that was released twice frees nobody else's container", async () => {
  await using state = await stateFolder();
  const { runner } = await state.daemon(
    kindOf(async function* () {
      return { status: Status.STOPPED };
    }),
  );
  const first = runner.locks.take({ id: "a", kind: "stop", container: "c1", startedAt: 1 });
  first[Symbol.dispose]();
  using _second = runner.locks.take({ id: "b", kind: "start", container: "c1", startedAt: 2 });
  first.explain("too late");
  first[Symbol.dispose]();
  assert.deepEqual(runner.locks.holder("c1"), { id: "b", kind: "start", container: "c1", startedAt: 2 });
});

test("work that is accepted at the very end of the daemon is left to the next one", async () => {
  await using state = await stateFolder();
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

test("a refused final of which something is still to be cleaned up is kept for its day", async () => {
  await using state = await stateFolder();
  const kind = kindOf(async function* () {
    return { status: Status.STOPPED };
  });
  const final = { method: "updateStopStatus", message: { containerName: "c1" } };
  const entry = {
    kind: "stop",
    container: "c1",
    startedAt: 1,
    request: {},
    steps: {},
    final,
    owed: "a snapshot",
  };
  const { finals, refused, journal } = await state.daemon(kind);
  await journal.begin({ id: "a", ...entry, delivered: true });
  await journal.begin({ id: "b", ...entry });
  const about = notice("updateStopStatus", { containerName: "c1" });
  for (const id of ["a", "b"])
    await refused.keep({ id, container: "c1", notice: about, reason: "no such rpc" });
  await finals.resend(await journal.entries());
  await state.hears(2);
  assert.deepEqual(
    state.heard.map(({ id }) => id),
    ["a-end", "b-end"],
  );
});

test("bad entries hold up nobody: two of one container, fields of a newer version, rubbish", async () => {
  await using state = await stateFolder();
  const recovered: string[] = [];
  const kind = kindOf(
    async function* () {
      return { status: Status.STOPPED };
    },
    async (_request, { id }) => {
      recovered.push(id);
      return { status: Status.STOPPED };
    },
  );
  const entry = { kind: "stop", container: "c1", request: { containerName: "c1" }, steps: {} };
  const files = {
    one: { ...entry, startedAt: 1 },
    two: { ...entry, startedAt: 2, request: { containerName: "c1", invented: true } },
    three: { ...entry, startedAt: 3, container: "c2", request: { containerName: 7 } },
    four: { ...entry, startedAt: 4, container: "c3", final: { method: "noSuchNotice", message: {} } },
    five: { ...entry, startedAt: 5, container: "c4", final: { method: "updateStopStatus", message: 7 } },
    six: { ...entry, startedAt: 6, container: "c5", kind: "of-a-newer-version" },
  };
  for (const [id, content] of Object.entries(files)) {
    await writeFile(join(state.path, `${id}.json`), JSON.stringify({ id, ...content }));
  }
  await writeFile(join(state.path, "seven.json"), "rubbish");
  const { runner, finals, journal } = await state.daemon(kind);
  const left = await journal.entries();
  await finals.resend(left);
  await runner.recover(await journal.entries());
  await state.hears(2);
  assert.deepEqual(recovered, ["one", "two"]);
  await runner[Symbol.asyncDispose]();
  assert.deepEqual((await readdir(state.path)).filter((name) => !/^(one|two)/.test(name)).sort(), [
    "five.json.unreadable",
    "four.json.unreadable",
    "seven.json.unreadable",
    "six.json",
    "three.json.unreadable",
  ]);
});

test("an engine that dies while a cancelled operation is undone: recovery undoes it, and it was cancelled", async () => {
  await using state = await stateFolder();
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
  runner.cancel("stop", "c1", new TremplinError("cancelled", "somebody cancelled it"));
  assert.equal((await recovered.promise).aborted, false);
  await state.hears(1);
  assert.deepEqual(state.statuses(), [Status.CANCELLED]);
});

test("an operation learns when the host has heard its progress", async () => {
  await using state = await stateFolder();
  const yielded = Promise.withResolvers<void>();
  let hasHeard = false;
  const kind = kindOf(async function* (_request, { progressAcknowledged }: OperationContext) {
    await progressAcknowledged();
    yield { status: Status.STOPPING };
    const told = progressAcknowledged().then(() => {
      hasHeard = true;
    });
    yielded.resolve();
    await told;
    return { status: Status.STOPPED };
  });
  const { runner, clock } = await state.daemon(kind);
  state.hostIsAway = true;
  await runner.begin(kind, "c1", request);
  await yielded.promise;
  await clock.sleeping();
  assert.equal(hasHeard, false);
  state.hostIsAway = false;
  clock.advance(60_000);
  await state.hears(2);
  assert.deepEqual(state.statuses(), [Status.STOPPING, Status.STOPPED]);
});

test("what is put right after a cancel goes on, and is left to the next daemon when this one ends", async () => {
  for (const daemonEnds of [false, true]) {
    await using state = await stateFolder();
    const undoing = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const kind = kindOf(async function* (_request, { signal, shutdownSignal }: OperationContext) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      const end = new Promise((_resolve, reject) =>
        shutdownSignal.addEventListener("abort", () => reject(shutdownSignal.reason)),
      );
      undoing.resolve();
      await Promise.race([gate.promise, end]);
      return { status: Status.CANCELLED };
    });
    const { runner } = await state.daemon(kind);
    await runner.begin(kind, "c1", request);
    const outcome = runner.outcome("stop", "c1");
    assert.equal(await runner.outcome("stop", "other"), undefined);
    await Promise.resolve();
    runner.cancel("stop", "c1", new TremplinError("cancelled", "enough"));
    await undoing.promise;
    if (daemonEnds) await runner[Symbol.asyncDispose]();
    else gate.resolve();
    assert.deepEqual(await outcome, daemonEnds ? undefined : { status: Status.CANCELLED });
    if (daemonEnds) assert.equal((await readdir(state.path)).length, 1);
  }
});
