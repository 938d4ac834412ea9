import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { silentLogger } from "../../base/logger.ts";
import type { Outcome } from "./delivery.ts";
import { type Notice, notice } from "./notice.ts";
import { Outbox, type Parcel } from "./outbox.ts";

/** A host that can be away, and what it took. */
function setUp() {
  const clock = new ManualClock();
  const taken: string[] = [];
  const arrivals: { readonly count: number; readonly resolve: () => void }[] = [];
  const host = { outcome: { kind: "taken" } as Outcome, tries: 0 };
  const deliver = async (_notice: Notice, id: string): Promise<Outcome> => {
    host.tries++;
    if (host.outcome.kind === "taken") taken.push(id);
    for (const { count, resolve } of arrivals) if (taken.length >= count) resolve();
    return host.outcome;
  };
  const arrived = (count: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (taken.length >= count) return Promise.resolve();
    arrivals.push({ count, resolve });
    return promise;
  };
  const outbox = new Outbox({ deliver, clock, log: silentLogger });
  return { clock, outbox, host, taken, arrived };
}

const away: Outcome = { kind: "away", reason: "nobody there" };

function parcel(id: string, options: Partial<Parcel> = {}): Parcel {
  const text = { containerName: "c1", failureReason: id };
  return { id, lane: "c1", notice: notice("updateStartStatus", text), final: false, ...options };
}

test("nothing is sent before the first notice was taken", async () => {
  const { outbox, taken, arrived } = setUp();
  outbox.send(parcel("end", { final: true }));
  await outbox.open(parcel("ready", { lane: "" }));
  await arrived(2);
  assert.deepEqual(taken, ["ready", "end"]);
});

test("a lane keeps its order, other lanes do not wait for it", async () => {
  const { outbox, taken, arrived } = setUp();
  await outbox.open(parcel("ready"));
  const answer = Promise.withResolvers<void>();
  outbox.send(parcel("a1", { final: true, after: answer.promise }));
  outbox.send(parcel("a2", { final: true }));
  outbox.send(parcel("b1", { final: true, lane: "c2" }));
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

test("what must live on is taken over by the newer notice", async () => {
  const { clock, outbox, host, taken, arrived } = setUp();
  const seen: string[][] = [];
  const log = (id: string, ...lines: string[]): Parcel => ({
    ...parcel(id),
    notice: notice("upgradeContainerStatus", { progressMessages: lines }),
    absorbedBy: (newer) => {
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

test("a refused final settles: trying again would not help", async () => {
  const { outbox, host } = setUp();
  await outbox.open(parcel("ready"));
  host.outcome = { kind: "refused", reason: "no such rpc" };
  const { promise, resolve } = Promise.withResolvers<void>();
  outbox.send(parcel("end", { final: true, settled: async () => resolve() }));
  await promise;
});

test("what waits at the end has not settled", async () => {
  const { clock, outbox, host } = setUp();
  await outbox.open(parcel("ready"));
  host.outcome = away;
  let settled = false;
  outbox.send(
    parcel("end", {
      final: true,
      settled: async () => {
        settled = true;
      },
    }),
  );
  await clock.sleeping();
  await outbox[Symbol.asyncDispose]();
  assert.equal(settled, false);
});
