import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { UpgradeLog } from "./upgrade-log.ts";
import { UpgradeReport } from "./upgrade-report.ts";

async function logIn(t: TestContext, most?: number): Promise<UpgradeLog> {
  const folder = await mkdtemp(join(tmpdir(), "upgrade-log-"));
  t.after(() => rm(folder, { recursive: true }));
  const log = await UpgradeLog.open(join(folder, "deep/web.log"), most);
  t.after(() => log[Symbol.asyncDispose]());
  return log;
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index} é`);

/** A report whose work ends when the test says so, told to a host that hears when the test says so. */
async function telling(t: TestContext) {
  const clock = new ManualClock();
  const report = new UpgradeReport(await logIn(t), clock);
  const work = Promise.withResolvers<string>();
  let heard = Promise.withResolvers<void>();
  heard.resolve();
  const told: string[][] = [];
  const over = (async () => {
    const lines = report.stream(work.promise, () => heard.promise);
    for (;;) {
      const { done, value } = await lines.next();
      if (done) return value;
      told.push(value);
      heard = Promise.withResolvers<void>();
    }
  })();
  const second = async () => {
    await clock.sleeping();
    clock.advance(1_000);
    await clock.sleeping();
  };
  return { report, work, told, over, second, clock, hear: () => heard.resolve() };
}

test("lines are given back in order, each once, a hundred at a time", async (t) => {
  const log = await logIn(t);
  await Promise.all([log.write(numbered(150)), log.say("one more")]);
  const first = await log.next(100);
  assert.deepEqual(first, numbered(100));
  assert.deepEqual([...first, ...(await log.next(100))], [...numbered(150), "one more"]);
  assert.deepEqual(await log.next(100), []);
  await log.write(numbered(250));
  assert.deepEqual(await log.last(99), { lines: numbered(250).slice(-99), leftOut: 151 });
});

test("a log that is full says so once, and still takes what we say ourselves", async (t) => {
  const log = await logIn(t, 100);
  for (let count = 0; count < 3; count++) await log.write(numbered(8));
  await log.say("the end");
  assert.deepEqual(await log.next(100), [
    ...numbered(8),
    "(the log is full; later lines are left out)",
    "the end",
  ]);
});

test("lines wait until the host has heard those before, and none is lost", async (t) => {
  const { report, work, told, over, second, hear } = await telling(t);
  await report.output(["a"]);
  await second();
  await report.output(["b"]);
  await second();
  await report.output(["c"]);
  await second();
  assert.deepEqual(told, [["a"]]);
  hear();
  await second();
  assert.deepEqual(told, [["a"], ["b", "c"]]);
  hear();
  work.resolve("done");
  assert.equal(await over, "done");
  assert.deepEqual(await report.remainingLines(), []);
});

test("a host that is away at the end hears the last lines, and where the others are", async (t) => {
  const { report, work, told, over, clock } = await telling(t);
  await report.output(["a"]);
  await clock.sleeping();
  clock.advance(1_000);
  await clock.sleeping();
  await report.output(numbered(300));
  work.resolve("done");
  await new Promise(setImmediate);
  clock.advance(2_000);
  assert.equal(await over, "done");
  assert.deepEqual(told, [["a"]]);
  const rest = await report.remainingLines();
  assert.equal(rest.length, 100);
  assert.match(rest[0] ?? "", /^\(201 lines are only in \/.*web\.log\)$/);
  assert.deepEqual(rest.slice(1), numbered(300).slice(-99));
});

test("phase and percent are told when they change, and silence is broken", async (t) => {
  const { report, work, told, over, second, hear } = await telling(t);
  report.expect(100);
  await report.begin("checking", 50);
  await report.begin("upgrading", 50);
  report.status({ kind: "download", percent: 100, message: "Retrieving" });
  await second();
  report.status({ kind: "install", percent: 50, message: "Unpacking \x1b[1mx" });
  hear();
  await second();
  assert.deepEqual(told.flat(), [
    "== 0 % checking",
    "== 50 % upgrading",
    "== 65 % upgrading: Retrieving",
    "== 82 % upgrading: Unpacking x",
  ]);
  for (let seconds = 0; seconds < 12; seconds++) {
    hear();
    await second();
  }
  assert.match(
    told.flat().at(-1) ?? "",
    /^still upgrading: Unpacking x, for 1\d s; nothing was printed for 10 s$/,
  );
  hear();
  work.resolve("done");
  await over;
});

test("what the work throws is thrown", async (t) => {
  const { work, over } = await telling(t);
  work.reject(new Error("no"));
  await assert.rejects(over, /no/);
});
