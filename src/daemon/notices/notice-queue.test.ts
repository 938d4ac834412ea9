import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { HostAnswer, Outcome } from "./delivery.ts";
import { type Notice, notice } from "./notice.ts";
import { NoticeQueue, type QueuedNotice } from "./notice-queue.ts";

/** A queue to a host that can be unreachable, and what that host received. */
function setUp() {
  const clock = new ManualClock();
  const received: string[] = [];
  const notices: Notice[] = [];
  const arrivals: { readonly count: number; readonly resolve: () => void }[] = [];
  const host = { outcome: { kind: "acknowledged" } as Outcome, tries: 0 };
  const deliver = async (notice: Notice, id: string): Promise<Outcome> => {
    host.tries++;
    if (host.outcome.kind === "acknowledged") {
      received.push(id);
      notices.push(notice);
    }
    for (const { count, resolve } of arrivals) if (received.length >= count) resolve();
    return host.outcome;
  };
  const arrived = (count: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (received.length >= count) return Promise.resolve();
    arrivals.push({ count, resolve });
    return promise;
  };
  const lines: string[] = [];
  const write = (line: string): void => {
    const { level, msg } = JSON.parse(line);
    if (level >= 40) lines.push(msg);
  };
  const log = pino({}, { write });
  const queue = new NoticeQueue({ deliver, clock, log });
  return { clock, queue, host, received, notices, lines, arrived };
}

const unreachable: Outcome = { kind: "unreachable", reason: "nobody there" };

function queued(id: string, options: Partial<QueuedNotice> = {}): QueuedNotice {
  const text = { containerName: "c1", failureReason: id };
  return { id, orderingKey: "c1", notice: notice("updateStartStatus", text), final: false, ...options };
}

test("nothing is sent before the host has answered the first notice", async () => {
  const { queue, received, arrived } = setUp();
  queue.send(queued("end", { final: true }));
  await queue.open(queued("ready", { orderingKey: "" }));
  await arrived(2);
  assert.deepEqual(received, ["ready", "end"]);
});

test("notices with one ordering key keep their order, other keys do not wait for them", async () => {
  const { queue, received, arrived } = setUp();
  await queue.open(queued("ready"));
  const answer = Promise.withResolvers<void>();
  queue.send(queued("a1", { final: true, notBefore: answer.promise }));
  queue.send(queued("a2", { final: true }));
  queue.send(queued("b1", { final: true, orderingKey: "c2" }));
  await arrived(2);
  assert.deepEqual(received, ["ready", "b1"]);
  answer.resolve();
  await arrived(4);
  assert.deepEqual(received, ["ready", "b1", "a1", "a2"]);
});

test("while the host is unreachable newer progress replaces older and no final notice is dropped", async () => {
  const { clock, queue, host, received, arrived } = setUp();
  await queue.open(queued("ready"));
  host.outcome = unreachable;
  for (const id of ["p1", "p2", "p3"]) queue.send(queued(id));
  queue.send(queued("end-1", { final: true }));
  for (const id of ["q1", "q2"]) queue.send(queued(id));
  await clock.sleeping();
  host.outcome = { kind: "acknowledged" };
  clock.advance(100);
  await arrived(3);
  assert.deepEqual(received, ["ready", "end-1", "q2"]);
});

/** A waiting line of an upgrade, with all lines that it coalesced. */
function upgradeLine(id: string, operation: string, options: Partial<QueuedNotice> = {}): QueuedNotice {
  return {
    id,
    orderingKey: "c1",
    operation,
    final: false,
    notice: notice("upgradeContainerStatus", { containerName: "c1", progressMessages: [id] }),
    coalesceInto: (newer, own) => {
      const messages = [own, newer].flatMap(
        (each) => (each as Notice<"upgradeContainerStatus">).message.progressMessages,
      );
      return notice("upgradeContainerStatus", { containerName: "c1", progressMessages: messages });
    },
    ...options,
  };
}

const shutdown: QueuedNotice = {
  id: "down",
  orderingKey: "c1",
  final: true,
  notice: notice("containerShutdown", { containerName: "c1" }),
};

test("a waiting line of an upgrade coalesces with lines of that upgrade only", async () => {
  const { clock, queue, host, received, notices, arrived } = setUp();
  await queue.open(queued("ready"));
  host.outcome = unreachable;
  queue.send(upgradeLine("l1", "A"));
  await clock.sleeping();
  queue.send(upgradeLine("l2", "A"));
  queue.send(upgradeLine("l3", "A"));
  queue.send(shutdown);
  queue.send(upgradeLine("l4", "A"));
  queue.send(upgradeLine("m1", "B"));
  queue.send(upgradeLine("m2", "B", { final: true }));
  host.outcome = { kind: "acknowledged" };
  clock.advance(100);
  await arrived(5);
  assert.deepEqual(received, ["ready", "l3", "down", "l4", "m2"]);
  assert.deepEqual(
    notices
      .slice(1)
      .map((each) => [each.method, (each.message as { progressMessages?: string[] }).progressMessages]),
    [
      ["upgradeContainerStatus", ["l1", "l2", "l3"]],
      ["containerShutdown", undefined],
      ["upgradeContainerStatus", ["l4"]],
      ["upgradeContainerStatus", ["m1", "m2"]],
    ],
  );
});

test("waiting progress is replaced neither by a notice of another rpc nor by one of another operation", async () => {
  const { clock, queue, host, received, arrived } = setUp();
  await queue.open(queued("ready"));
  host.outcome = unreachable;
  queue.send(queued("head", { operation: "A" }));
  await clock.sleeping();
  queue.send(queued("p", { operation: "A" }));
  queue.send(queued("q", { operation: "B" }));
  queue.send(queued("r", { operation: "B", notice: notice("updateStopStatus", { containerName: "c1" }) }));
  queue.send(shutdown);
  host.outcome = { kind: "acknowledged" };
  clock.advance(100);
  await arrived(5);
  assert.deepEqual(received, ["ready", "p", "q", "r", "down"]);
});

test("after an outage final notices arrive once and in order, and progress was replaced only by its own kind", async () => {
  const some = fc.record({
    method: fc.constantFrom(
      "updateStartStatus",
      "updateStopStatus",
      "containerShutdown",
      "updateListeningPorts",
    ),
    operation: fc.constantFrom("A", "B", undefined),
    final: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(some, { minLength: 1, maxLength: 12 }), async (sent) => {
      const { clock, queue, host, received, notices, arrived } = setUp();
      await queue.open(queued("ready"));
      host.outcome = unreachable;
      const all = sent.map(({ method, ...rest }, index) => ({
        ...queued(String(index), { ...rest, notice: notice(method as "containerShutdown", {}) }),
      }));
      all.push(queued("last", { final: true }));
      for (const each of all) queue.send(each);
      await clock.sleeping();
      host.outcome = { kind: "acknowledged" };
      clock.advance(100);
      const isKept = (index: number) => {
        const [each, next] = [all[index], all[index + 1]] as [QueuedNotice, QueuedNotice?];
        if (each.final || !next) return true;
        return next.notice.method !== each.notice.method || next.operation !== each.operation;
      };
      const kept = all.filter((_, index) => isKept(index));
      await arrived(1 + kept.length);
      assert.deepEqual(
        received.slice(1),
        kept.map(({ id }) => id),
      );
      assert.deepEqual(
        notices.slice(1),
        kept.map((each) => each.notice),
      );
      await queue[Symbol.asyncDispose]();
    }),
    { numRuns: 50 },
  );
});

test("an outage is logged once when it begins and once when it ends; meanwhile its start and the oldest notice are known", async () => {
  const { clock, queue, host, lines } = setUp();
  const sent = (id: string, options: Partial<QueuedNotice>): [QueuedNotice, Promise<void>] => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return [queued(id, { ...options, onAnswered: async () => resolve() }), promise];
  };
  const since = (): number | undefined => queue.outage?.since;
  const begin = clock.now();
  host.outcome = unreachable;
  const [ready, isReady] = sent("ready", { orderingKey: "", notice: notice("tremplinReady", {}) });
  void queue.open(ready);
  await clock.sleeping();
  assert.deepEqual(queue.outage, { since: begin, reason: "nobody there" });
  assert.equal(queue.oldest?.notice.method, "tremplinReady");
  clock.advance(100);
  await clock.sleeping();
  queue.send(queued("p", { operation: "A" }));
  assert.equal(queue.length, 2);
  host.outcome = { kind: "acknowledged" };
  clock.advance(200);
  await isReady;
  assert.equal(since(), undefined);

  const [q, isSent] = sent("q", { operation: "A", final: true });
  const [r, isSentToo] = sent("r", { orderingKey: "c2", operation: "B", final: true });
  host.outcome = unreachable;
  queue.send(q);
  queue.send(r);
  await clock.sleeping(2);
  assert.equal(queue.oldest?.operation, "A");
  assert.equal(since(), begin + 300);
  host.outcome = { kind: "acknowledged" };
  clock.advance(100);
  await Promise.all([isSent, isSentToo]);
  assert.equal(since(), undefined);
  const gone = "the host is unreachable: notices wait until it answers";
  assert.deepEqual(lines, [gone, "the host answers again", gone, "the host answers again"]);
  await queue[Symbol.asyncDispose]();
});

test("a newer notice takes over the content that a waiting one must not lose", async () => {
  const { clock, queue, host, received, arrived } = setUp();
  const seen: string[][] = [];
  const log = (id: string, ...lines: string[]): QueuedNotice => ({
    ...queued(id),
    notice: notice("upgradeContainerStatus", { progressMessages: lines }),
    coalesceInto: (newer) => {
      const more = (newer as Notice<"upgradeContainerStatus">).message.progressMessages;
      seen.push([...lines, ...more]);
      return notice("upgradeContainerStatus", { progressMessages: [...lines, ...more] });
    },
  });
  await queue.open(queued("ready"));
  host.outcome = unreachable;
  queue.send(log("l1", "one"));
  await clock.sleeping();
  queue.send(log("l2", "two"));
  host.outcome = { kind: "acknowledged" };
  clock.advance(100);
  await arrived(2);
  assert.deepEqual(received, ["ready", "l2"]);
  assert.deepEqual(seen, [["one", "two"]]);
});

test("an unreachable host is retried less and less often, at least every five seconds", async () => {
  const { clock, queue, host } = setUp();
  await queue.open(queued("ready"));
  host.outcome = unreachable;
  host.tries = 0;
  queue.send(queued("end", { final: true }));
  for (const wait of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    await clock.sleeping();
    const before = host.tries;
    clock.advance(wait - 1);
    assert.equal(host.tries, before);
    clock.advance(1);
  }
  await clock.sleeping();
  assert.equal(host.tries, 9);
  await queue[Symbol.asyncDispose]();
});

test("a rejected final notice is reported as rejected and not retried", async () => {
  const { queue, host } = setUp();
  await queue.open(queued("ready"));
  host.outcome = { kind: "rejected", reason: "no such rpc" };
  const { promise, resolve } = Promise.withResolvers<HostAnswer>();
  queue.send(queued("end", { final: true, onAnswered: async (answer) => resolve(answer) }));
  assert.deepEqual(await promise, { kind: "rejected", reason: "no such rpc" });
});

test("a notice that waits when the queue is disposed stays unanswered", async () => {
  const { clock, queue, host } = setUp();
  await queue.open(queued("ready"));
  host.outcome = unreachable;
  let isAnswered = false;
  queue.send(
    queued("end", {
      final: true,
      onAnswered: async () => {
        isAnswered = true;
      },
    }),
  );
  await clock.sleeping();
  await queue[Symbol.asyncDispose]();
  assert.equal(isAnswered, false);
});
