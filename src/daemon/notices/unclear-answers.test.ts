import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { HostAnswer, Outcome } from "./delivery.ts";
import { notice } from "./notice.ts";
import { NoticeQueue, type QueuedNotice } from "./notice-queue.ts";

const unclear: Outcome = { kind: "unclear", reason: "unknown status 77" };

/** A queue to a host that gives an unclear answer to some notices, by their ids, and acknowledges the others. */
function setUp(isRefused: (id: string) => boolean) {
  const clock = new ManualClock();
  const tries: string[] = [];
  const warnings: { readonly msg: string; readonly reason?: string }[] = [];
  const deliver = async (_notice: unknown, id: string): Promise<Outcome> => {
    tries.push(id);
    return isRefused(id) ? unclear : { kind: "acknowledged" };
  };
  const log = pino({}, { write: (line: string) => warnings.push(JSON.parse(line)) });
  return { clock, tries, warnings, queue: new NoticeQueue({ deliver, clock, log }) };
}

function queued(id: string, options: Partial<QueuedNotice> = {}) {
  const { promise, resolve } = Promise.withResolvers<HostAnswer>();
  const message = notice("updateExportStatus", { containerName: "c1", failureReason: id });
  const onAnswered = async (answer: HostAnswer): Promise<void> => resolve(answer);
  return {
    sent: { id, orderingKey: "c1", notice: message, final: false, onAnswered, ...options },
    answer: promise,
  };
}

const rejected = { kind: "rejected", reason: "unknown status 77" };

test("progress with an unclear answer is rejected at once, and what follows arrives", async () => {
  const { queue, tries, warnings } = setUp((id) => id.startsWith("p"));
  await queue.open(queued("ready").sent);
  for (const id of ["p1", "p2", "p3"]) {
    const { sent, answer } = queued(id, { operation: "A" });
    queue.send(sent);
    assert.deepEqual(await answer, rejected);
  }
  const end = queued("end", { final: true, operation: "A" });
  queue.send(end.sent);
  assert.deepEqual(await end.answer, { kind: "acknowledged" });
  assert.deepEqual(tries, ["ready", "p1", "p2", "p3", "end"]);
  assert.deepEqual(
    warnings.map(({ msg, reason }) => [msg, reason]),
    [["the host rejected a notice", "unknown status 77"]],
  );
});

test("a final notice with an unclear answer is sent again for some seconds, then rejected; the next one arrives", async () => {
  const { clock, queue, tries } = setUp((id) => id === "end");
  await queue.open(queued("ready").sent);
  const end = queued("end", { final: true, operation: "A" });
  const next = queued("next", { final: true, operation: "B" });
  queue.send(end.sent);
  queue.send(next.sent);
  let seconds = 0;
  for (; !tries.includes("next"); seconds += 5) {
    await Promise.race([clock.sleeping(), next.answer]);
    clock.advance(5_000);
  }
  assert.ok(seconds >= 15, `${seconds}`);
  assert.deepEqual(await end.answer, rejected);
  assert.deepEqual(await next.answer, { kind: "acknowledged" });
  assert.ok(tries.filter((id) => id === "end").length > 2, `${tries}`);
  assert.equal(queue.outage, undefined);
});

test("a host that does not know its guest yet gets the first notice, then all others", async () => {
  let knowsGuest = false;
  const { clock, queue, tries } = setUp(() => !knowsGuest);
  const opened = queue.open(queued("ready", { orderingKey: "", final: true }).sent);
  const end = queued("end", { final: true });
  queue.send(end.sent);
  for (let minutes = 0; minutes < 10; minutes++) {
    await clock.sleeping();
    clock.advance(60_000);
  }
  assert.deepEqual(new Set(tries), new Set(["ready"]));
  await clock.sleeping();
  knowsGuest = true;
  clock.advance(60_000);
  await opened;
  assert.deepEqual(await end.answer, { kind: "acknowledged" });
});
