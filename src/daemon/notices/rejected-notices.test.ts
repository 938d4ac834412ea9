import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pino } from "pino";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { notice } from "./notice.ts";
import type { QueuedNotice } from "./notice-queue.ts";
import { RejectedNotices } from "./rejected-notices.ts";

const DAY = 24 * 60 * 60 * 1000;

async function place(t: TestContext) {
  const folder = join(await mkdtemp(join(tmpdir(), "refused-")), "refused");
  t.after(() => rm(join(folder, ".."), { recursive: true }));
  const clock = new ManualClock();
  const sent: QueuedNotice[] = [];
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const open = () =>
    RejectedNotices.open({ folder, outbox: { send: (parcel) => sent.push(parcel) }, clock, log });
  return { folder, clock, sent, lines, open };
}

function refusedNotice(id: string) {
  const about = notice("updateStopStatus", { containerName: "c1", status: 4, failureReason: id });
  return { id, container: "c1", operation: id, notice: about, reason: "no such rpc" };
}

test("what was refused is there for the next daemon, which sends it again under the same id", async (t) => {
  const { folder, clock, sent, open } = await place(t);
  const first = await open();
  await first.keep(refusedNotice("a"));
  clock.advance(1000);
  await first.keep(refusedNotice("b"));
  const second = await open();
  assert.deepEqual(
    (await second.list()).map(({ id, reason, since }) => [id, reason, clock.now() - since]),
    [
      ["a", "no such rpc", 1000],
      ["b", "no such rpc", 0],
    ],
  );
  await second.sendAgain(new Set());
  assert.deepEqual(
    sent.map(({ id, orderingKey, operation, final }) => [id, orderingKey, operation, final]),
    [
      ["a-end", "c1", "a", true],
      ["b-end", "c1", "b", true],
    ],
  );
  assert.deepEqual(sent[0]?.notice, refusedNotice("a").notice);
  await sent[0]?.onAcknowledged?.({ kind: "taken" });
  await sent[1]?.onAcknowledged?.({ kind: "refused", reason: "still not" });
  assert.deepEqual(await readdir(folder), ["b.json"]);
  clock.advance(1000);
  assert.deepEqual(
    (await second.list()).map(({ reason, since }) => [reason, clock.now() - since]),
    [["still not", 1000]],
  );
});

test("after a day it is dropped, also when it was refused again, and the log says so", async (t) => {
  const { folder, clock, sent, lines, open } = await place(t);
  const refused = await open();
  await refused.keep(refusedNotice("a"));
  clock.advance(DAY - 1);
  await refused.sendAgain(new Set());
  await sent[0]?.onAcknowledged?.({ kind: "refused", reason: "still not" });
  assert.equal((await refused.list()).length, 1);
  clock.advance(2);
  const stop = new AbortController();
  const sweeping = refused.sweep(stop.signal);
  await clock.sleeping();
  stop.abort();
  await sweeping;
  assert.deepEqual(await readdir(folder), []);
  assert.deepEqual(lines, ["a final notice that the host refused for a day is dropped"]);
});

test("one that the journal has too is left to that", async (t) => {
  const { folder, sent, open } = await place(t);
  const refused = await open();
  await refused.keep(refusedNotice("a"));
  await refused.sendAgain(new Set(["a"]));
  assert.deepEqual([sent, await readdir(folder)], [[], []]);
});

test("rubbish in the folder holds nothing up and stays", async (t) => {
  const { folder, sent, open } = await place(t);
  const refused = await open();
  await refused.keep(refusedNotice("a"));
  await writeFile(join(folder, "b.json"), "{");
  await writeFile(join(folder, "c.json"), '{"id":"c","method":"noSuch"}');
  await mkdir(join(folder, "d.json"));
  await refused.sendAgain(new Set());
  assert.deepEqual(
    sent.map(({ id }) => id),
    ["a-end"],
  );
  assert.deepEqual((await readdir(folder)).sort(), ["a.json", "b.json", "c.json", "d.json"]);
});

test("one that grew old while no daemon was there, or by a clock that was set, is sent once more before it is dropped", async (t) => {
  const { folder, clock, sent, open } = await place(t);
  await (await open()).keep(refusedNotice("a"));
  clock.advance(3 * DAY);
  const refused = await open();
  await refused.sendAgain(new Set());
  assert.deepEqual(
    sent.map(({ id }) => id),
    ["a-end"],
  );
  assert.equal((await refused.list()).length, 1, "while the host is away");
  await sent[0]?.onAcknowledged?.({ kind: "refused", reason: "still not" });
  assert.deepEqual(await refused.list(), []);
  assert.deepEqual(await readdir(folder), []);
});
