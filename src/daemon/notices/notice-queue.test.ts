import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { Acknowledgement, Outcome } from "./delivery.ts";
import { type Notice, notice } from "./notice.ts";
import { NoticeQueue, type QueuedNotice } from "./notice-queue.ts";

/** A host that can be away, and what it took. */
function setUp() {
  const clock = new ManualClock();
  const taken: string[] = [];
  const notices: Notice[] = [];
  const arrivals: { readonly count: number; readonly resolve: () => void }[] = [];
  const host = { outcome: { kind: "taken" } as Outcome, tries: 0 };
  const deliver = async (notice: Notice, id: string): Promise<Outcome> => {
    host.tries++;
    if (host.outcome.kind === "taken") {
      taken.push(id);
      notices.push(notice);
    }
    for (const { count, resolve } of arrivals) if (taken.length >= count) resolve();
    return host.outcome;
  };
  const arrived = (count: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (taken.length >= count) return Promise.resolve();
    arrivals.push({ count, resolve });
    return promise;
  };
  const lines: string[] = [];
  const write = (line: string): void => {
    const { level, msg } = JSON.parse(line);
    if (level >= 40) lines.push(msg);
  };
  const log = pino({}, { write });
  const outbox = new NoticeQueue({ deliver, clock, log });
  return { clock, outbox, host, taken, notices, lines, arrived };
}

const away: Outcome = { kind: "away", reason: "nobody there" };

function parcel(id: string, options: Partial<QueuedNotice> = {}): QueuedNotice {
  const text = { containerName: "c1", failureReason: id };
  return { id, orderingKey: "c1", notice: notice("updateStartStatus", text), final: false, ...options };
}

test("nothing is sent before the first notice was taken", async () => {
  const { outbox, taken, arrived } = setUp();
  outbox.send(parcel("end", { final: true }));
  await outbox.open(parcel("ready", { orderingKey: "" }));
  await arrived(2);
  assert.deepEqual(taken, ["ready", "end"]);
});

test("a lane keeps its order, other lanes do not wait for it", async () => {
  const { outbox, taken, arrived } = setUp();
  await outbox.open(parcel("ready"));
  const answer = Promise.withResolvers<void>();
  outbox.send(parcel("a1", { final: true, notBefore: answer.promise }));
  outbox.send(parcel("a2", { final: true }));
  outbox.send(parcel("b1", { final: true, orderingKey: "c2" }));
  await arrived(2);
  assert.deepEqual(taken, ["ready", "b1"]);
  answer.resolve();
  await arrived(4);
  assert.deepEqual(taken, ["ready", "b1", "a1", "a2"]);
});

test("while the host is away progress gives way to what is newer and no final is dropped", async () => {
  const { clock, outbox, host, taken, arrived } = setUp();
  await outbox.open(parcel("ready"));
  host.outcome = away;
  for (const id of ["p1", "p2", "p3"]) outbox.send(parcel(id));
  outbox.send(parcel("end-1", { final: true }));
  for (const id of ["q1", "q2"]) outbox.send(parcel(id));
  await clock.sleeping();
  host.outcome = { kind: "taken" };
  clock.advance(100);
  await arrived(3);
  assert.deepEqual(taken, ["ready", "end-1", "q2"]);
});

/** A waiting line of an upgrade, with all that it took over. */
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

test("a waiting line of an upgrade takes over nothing but lines of that upgrade", async () => {
  const { clock, outbox, host, taken, notices, arrived } = setUp();
  await outbox.open(parcel("ready"));
  host.outcome = away;
  outbox.send(upgradeLine("l1", "A"));
  await clock.sleeping();
  outbox.send(upgradeLine("l2", "A"));
  outbox.send(upgradeLine("l3", "A"));
  outbox.send(shutdown);
  outbox.send(upgradeLine("l4", "A"));
  outbox.send(upgradeLine("m1", "B"));
  outbox.send(upgradeLine("m2", "B", { final: true }));
  host.outcome = { kind: "taken" };
  clock.advance(100);
  await arrived(5);
  assert.deepEqual(taken, ["ready", "l3", "down", "l4", "m2"]);
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

test("waiting progress gives way neither to a notice of another rpc nor to one of another operation", async () => {
  const { clock, outbox, host, taken, arrived } = setUp();
  await outbox.open(parcel("ready"));
  host.outcome = away;
  outbox.send(parcel("head", { operation: "A" }));
  await clock.sleeping();
  outbox.send(parcel("p", { operation: "A" }));
  outbox.send(parcel("q", { operation: "B" }));
  outbox.send(parcel("r", { operation: "B", notice: notice("updateStopStatus", { containerName: "c1" }) }));
  outbox.send(shutdown);
  host.outcome = { kind: "taken" };
  clock.advance(100);
  await arrived(5);
  assert.deepEqual(taken, ["ready", "p", "q", "r", "down"]);
});

test("whatever is sent while the host is away: finals arrive once and in order, the rest is never of another kind", async () => {
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
      const { clock, outbox, host, taken, notices, arrived } = setUp();
      await outbox.open(parcel("ready"));
      host.outcome = away;
      const all = sent.map(({ method, ...rest }, index) => ({
        ...parcel(String(index), { ...rest, notice: notice(method as "containerShutdown", {}) }),
      }));
      all.push(parcel("last", { final: true }));
      for (const each of all) outbox.send(each);
      await clock.sleeping();
      host.outcome = { kind: "taken" };
      clock.advance(100);
      const isKept = (index: number) => {
        const [each, next] = [all[index], all[index + 1]] as [QueuedNotice, QueuedNotice?];
        if (each.final || !next) return true;
        return next.notice.method !== each.notice.method || next.operation !== each.operation;
      };
      const kept = all.filter((_, index) => isKept(index));
      await arrived(1 + kept.length);
      assert.deepEqual(
        taken.slice(1),
        kept.map(({ id }) => id),
      );
      assert.deepEqual(
        notices.slice(1),
        kept.map((each) => each.notice),
      );
      await outbox[Symbol.asyncDispose]();
    }),
    { numRuns: 50 },
  );
});

test("an outage is logged when it begins and when it is over, and is known meanwhile with what waits longest", async () => {
  const { clock, outbox, host, lines } = setUp();
  const sent = (id: string, options: Partial<QueuedNotice>): [QueuedNotice, Promise<void>] => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return [parcel(id, { ...options, onAcknowledged: async () => resolve() }), promise];
  };
  const since = (): number | undefined => outbox.hostAway?.since;
  const begin = clock.now();
  host.outcome = away;
  const [ready, isReady] = sent("ready", { orderingKey: "", notice: notice("tremplinReady", {}) });
  void outbox.open(ready);
  await clock.sleeping();
  assert.deepEqual(outbox.hostAway, { since: begin, reason: "nobody there" });
  assert.equal(outbox.oldest?.notice.method, "tremplinReady");
  clock.advance(100);
  await clock.sleeping();
  outbox.send(parcel("p", { operation: "A" }));
  assert.equal(outbox.waiting, 2);
  host.outcome = { kind: "taken" };
  clock.advance(200);
  await isReady;
  assert.equal(since(), undefined);

  const [q, isSent] = sent("q", { operation: "A", final: true });
  const [r, isSentToo] = sent("r", { orderingKey: "c2", operation: "B", final: true });
  host.outcome = away;
  outbox.send(q);
  outbox.send(r);
  await clock.sleeping(2);
  assert.equal(outbox.oldest?.operation, "A");
  assert.equal(since(), begin + 300);
  host.outcome = { kind: "taken" };
  clock.advance(100);
  await Promise.all([isSent, isSentToo]);
  assert.equal(since(), undefined);
  const gone = "the host is away: notices wait until it is back";
  assert.deepEqual(lines, [gone, "the host is back", gone, "the host is back"]);
  await outbox[Symbol.asyncDispose]();
});

test("what must live on is taken over by the newer notice", async () => {
  const { clock, outbox, host, taken, arrived } = setUp();
  const seen: string[][] = [];
  const log = (id: string, ...lines: string[]): QueuedNotice => ({
    ...parcel(id),
    notice: notice("upgradeContainerStatus", { progressMessages: lines }),
    coalesceInto: (newer) => {
      const more = (newer as Notice<"upgradeContainerStatus">).message.progressMessages;
      seen.push([...lines, ...more]);
      return notice("upgradeContainerStatus", { progressMessages: [...lines, ...more] });
    },
  });
  await outbox.open(parcel("ready"));
  host.outcome = away;
  outbox.send(log("l1", "one"));
  await clock.sleeping();
  outbox.send(log("l2", "two"));
  host.outcome = { kind: "taken" };
  clock.advance(100);
  await arrived(2);
  assert.deepEqual(taken, ["ready", "l2"]);
  assert.deepEqual(seen, [["one", "two"]]);
});

test("a host that is away is tried again less and less often, at least every five seconds", async () => {
  const { clock, outbox, host } = setUp();
  await outbox.open(parcel("ready"));
  host.outcome = away;
  host.tries = 0;
  outbox.send(parcel("end", { final: true }));
  for (const wait of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    await clock.sleeping();
    const before = host.tries;
    clock.advance(wait - 1);
    assert.equal(host.tries, before);
    clock.advance(1);
  }
  await clock.sleeping();
  assert.equal(host.tries, 9);
  await outbox[Symbol.asyncDispose]();
});

test("a refused final settles as that: it is not tried again by itself", async () => {
  const { outbox, host } = setUp();
  await outbox.open(parcel("ready"));
  host.outcome = { kind: "refused", reason: "no such rpc" };
  const { promise, resolve } = Promise.withResolvers<Acknowledgement>();
  outbox.send(parcel("end", { final: true, onAcknowledged: async (answer) => resolve(answer) }));
  assert.deepEqual(await promise, { kind: "refused", reason: "no such rpc" });
});

test("what waits at the end has not settled", async () => {
  const { clock, outbox, host } = setUp();
  await outbox.open(parcel("ready"));
  host.outcome = away;
  let settled = false;
  outbox.send(
    parcel("end", {
      final: true,
      onAcknowledged: async () => {
        settled = true;
      },
    }),
  );
  await clock.sleeping();
  await outbox[Symbol.asyncDispose]();
  assert.equal(settled, false);
});
