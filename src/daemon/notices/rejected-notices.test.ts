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
  const folder = join(await mkdtemp(join(tmpdir(), "rejected-")), "refused");
  t.after(() => rm(join(folder, ".."), { recursive: true }));
  const clock = new ManualClock();
  const sent: QueuedNotice[] = [];
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const open = () =>
    RejectedNotices.open({ folder, queue: { send: (queued) => sent.push(queued) }, clock, log });
  return { folder, clock, sent, lines, open };
}

function rejectedNotice(id: string) {
  const about = notice("updateStopStatus", { containerName: "c1", status: 4, failureReason: id });
  return { id, container: "c1", operation: id, notice: about, reason: "no such rpc" };
}

test("the next daemon sends a rejected notice again, under the same id", async (t) => {
  const { folder, clock, sent, open } = await place(t);
  const first = await open();
  await first.keep(rejectedNotice("a"));
  clock.advance(1000);
  await first.keep(rejectedNotice("b"));
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
  assert.deepEqual(sent[0]?.notice, rejectedNotice("a").notice);
  await sent[0]?.onAnswered?.({ kind: "acknowledged" });
  await sent[1]?.onAnswered?.({ kind: "rejected", reason: "still not" });
  assert.deepEqual(await readdir(folder), ["b.json"]);
  clock.advance(1000);
  assert.deepEqual(
    (await second.list()).map(({ reason, since }) => [reason, clock.now() - since]),
    [["still not", 1000]],
  );
});

test("a rejected notice is dropped after a day, also when it was rejected again, and the log says so", async (t) => {
  const { folder, clock, sent, lines, open } = await place(t);
  const rejected = await open();
  await rejected.keep(rejectedNotice("a"));
  clock.advance(DAY - 1);
  await rejected.sendAgain(new Set());
  await sent[0]?.onAnswered?.({ kind: "rejected", reason: "still not" });
  assert.equal((await rejected.list()).length, 1);
  clock.advance(2);
  const stop = new AbortController();
  const sweeping = rejected.sweep(stop.signal);
  await clock.sleeping();
  stop.abort();
  await sweeping;
  assert.deepEqual(await readdir(folder), []);
  assert.deepEqual(lines, ["dropped a final notice that the host has rejected for a day"]);
});

test("a notice that the journal also has is sent from the journal only", async (t) => {
  const { folder, sent, open } = await place(t);
  const rejected = await open();
  await rejected.keep(rejectedNotice("a"));
  await rejected.sendAgain(new Set(["a"]));
  assert.deepEqual([sent, await readdir(folder)], [[], []]);
});

test("a file that is no notice blocks nothing and is set aside", async (t) => {
  const { folder, sent, open } = await place(t);
  const rejected = await open();
  await rejected.keep(rejectedNotice("a"));
  await writeFile(join(folder, "b.json"), "{");
  await writeFile(join(folder, "c.json"), '{"id":"c","method":"noSuch"}');
  await mkdir(join(folder, "d.json"));
  await rejected.sendAgain(new Set());
  assert.deepEqual(
    sent.map(({ id }) => id),
    ["a-end"],
  );
  const names = (await readdir(folder)).filter((name) => !name.endsWith(".reason")).sort();
  assert.deepEqual(names, ["a.json", "b.json.unreadable", "c.json.unreadable", "d.json.unreadable"]);
});

test("a notice that became too old without a daemon, or through a clock change, is sent once more before it is dropped", async (t) => {
  const { folder, clock, sent, open } = await place(t);
  await (await open()).keep(rejectedNotice("a"));
  clock.advance(3 * DAY);
  const rejected = await open();
  await rejected.sendAgain(new Set());
  assert.deepEqual(
    sent.map(({ id }) => id),
    ["a-end"],
  );
  assert.equal((await rejected.list()).length, 1, "while the host is unreachable");
  await sent[0]?.onAnswered?.({ kind: "rejected", reason: "still not" });
  assert.deepEqual(await rejected.list(), []);
  assert.deepEqual(await readdir(folder), []);
});
