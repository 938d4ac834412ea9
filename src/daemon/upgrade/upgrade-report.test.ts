import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { UpgradeLog } from "./upgrade-log.ts";
import { UpgradeReport } from "./upgrade-report.ts";

async function logIn(t: TestContext, maxBytes?: number): Promise<UpgradeLog> {
  const folder = await mkdtemp(join(tmpdir(), "upgrade-log-"));
  t.after(() => rm(folder, { recursive: true }));
  const log = await UpgradeLog.open(join(folder, "deep/web.log"), maxBytes);
  t.after(() => log[Symbol.asyncDispose]());
  return log;
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index} é`);

/** A report of work that the test ends, to a host whose acknowledgements the test controls. */
async function streaming(t: TestContext) {
  const clock = new ManualClock();
  const report = new UpgradeReport(await logIn(t), clock);
  const work = Promise.withResolvers<string>();
  let acknowledged = Promise.withResolvers<void>();
  acknowledged.resolve();
  const notices: string[][] = [];
  const over = (async () => {
    const lines = report.stream(work.promise, () => acknowledged.promise);
    for (;;) {
      const { done, value } = await lines.next();
      if (done) return value;
      notices.push(value);
      acknowledged = Promise.withResolvers<void>();
    }
  })();
  const second = async () => {
    await clock.sleeping();
    clock.advance(1_000);
    await clock.sleeping();
  };
  return { report, work, notices, over, second, clock, acknowledge: () => acknowledged.resolve() };
}

test("lines are read back in order, each once, a hundred at a time", async (t) => {
  const log = await logIn(t);
  await Promise.all([log.write(numbered(150)), log.say("one more")]);
  const first = await log.next(100);
  assert.deepEqual(first, numbered(100));
  assert.deepEqual([...first, ...(await log.next(100))], [...numbered(150), "one more"]);
  assert.deepEqual(await log.next(100), []);
  await log.write(numbered(250));
  assert.deepEqual(await log.last(99), { lines: numbered(250).slice(-99), leftOut: 151 });
});

test("a full log says so once, and still accepts lines of the daemon itself", async (t) => {
  const log = await logIn(t, 100);
  for (let count = 0; count < 3; count++) await log.write(numbered(8));
  await log.say("the end");
  assert.deepEqual(await log.next(100), [
    ...numbered(8),
    "(the log is full; later lines are left out)",
    "the end",
  ]);
});

test("lines wait until the host has acknowledged those before, and none is lost", async (t) => {
  const { report, work, notices, over, second, acknowledge } = await streaming(t);
  await report.output(["a"]);
  await second();
  await report.output(["b"]);
  await second();
  await report.output(["c"]);
  await second();
  assert.deepEqual(notices, [["a"]]);
  acknowledge();
  await second();
  assert.deepEqual(notices, [["a"], ["b", "c"]]);
  acknowledge();
  work.resolve("done");
  assert.equal(await over, "done");
  assert.deepEqual(await report.remainingLines(), []);
});

test("if the host is unreachable at the end, the final notice has the last lines and the path of the log", async (t) => {
  const { report, work, notices, over, clock } = await streaming(t);
  await report.output(["a"]);
  await clock.sleeping();
  clock.advance(1_000);
  await clock.sleeping();
  await report.output(numbered(300));
  work.resolve("done");
  await new Promise(setImmediate);
  clock.advance(2_000);
  assert.equal(await over, "done");
  assert.deepEqual(notices, [["a"]]);
  const rest = await report.remainingLines();
  assert.equal(rest.length, 100);
  assert.match(rest[0] ?? "", /^\(201 lines are only in \/.*web\.log\)$/);
  assert.deepEqual(rest.slice(1), numbered(300).slice(-99));
});

test("phase and percent are reported when they change, and a line is added after a silence", async (t) => {
  const { report, work, notices, over, second, acknowledge } = await streaming(t);
  report.expect(100);
  await report.begin("checking", 50);
  await report.begin("upgrading", 50);
  report.status({ kind: "download", percent: 100, message: "Retrieving" });
  await second();
  report.status({ kind: "install", percent: 50, message: "Unpacking \x1b[1mx" });
  acknowledge();
  await second();
  assert.deepEqual(notices.flat(), [
    "== 0 % checking",
    "== 50 % upgrading",
    "== 65 % upgrading: Retrieving",
    "== 82 % upgrading: Unpacking x",
  ]);
  for (let seconds = 0; seconds < 12; seconds++) {
    acknowledge();
    await second();
  }
  assert.match(
    notices.flat().at(-1) ?? "",
    /^still upgrading: Unpacking x, for 1\d s; nothing was printed for 10 s$/,
  );
  acknowledge();
  work.resolve("done");
  await over;
});

test("an error of the work is thrown", async (t) => {
  const { work, over } = await streaming(t);
  work.reject(new Error("no"));
  await assert.rejects(over, /no/);
});
