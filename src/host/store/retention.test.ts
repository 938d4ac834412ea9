import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { silentLogger } from "../../base/logger.ts";
import {
  ContainerStartProgressSchema,
  ListeningPortInfoSchema,
  ContainerStartProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import { EventStore, type EventStoreOptions, type Notice } from "./event-store.ts";

const DAY = 24 * 3_600_000;

async function openStore(t: TestContext, options: Partial<EventStoreOptions> = {}): Promise<EventStore> {
  const folder = await mkdtemp(join(tmpdir(), "retention-"));
  const clock = new ManualClock();
  const store = await EventStore.open({ folder, clock, log: silentLogger, ...options });
  t.after(async () => {
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return store;
}

function start(containerName: string, status = Status.STARTED, failureReason = ""): Notice {
  return {
    case: "start",
    value: create(ContainerStartProgressSchema, { containerName, status, failureReason }),
  };
}

function ports(name: string, port: number): Notice {
  const containerPorts = { [name]: { listeningTcp4Ports: [port] } };
  return { case: "ports", value: create(ListeningPortInfoSchema, { containerPorts }) };
}

async function guestsIn(store: EventStore): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const options = { after: 0n, follow: false, signal: new AbortController().signal, guest: undefined };
  for await (const { guest } of store.read(options)) counts[guest] = (counts[guest] ?? 0) + 1;
  return counts;
}

test("large notices of one guest do not displace the events of another", async (t) => {
  const store = await openStore(t, { maxBytes: 1024 * 1024 });
  for (let count = 0; count < 20; count++) await store.append("quiet", start("web"), "");
  for (let count = 0; count < 60; count++) {
    await store.append("loud", start("x", Status.FAILED, "a".repeat(100_000)), "");
  }
  const counts = await guestsIn(store);
  assert.equal(counts.quiet, 20);
  assert.ok((counts.loud ?? 0) > 0 && (counts.loud ?? 0) < 6, `${counts.loud}`);
  assert.deepEqual([store.oldest("quiet"), store.oldest("loud") > 1n], [1n, true]);
});

test("a container whose ports change all the time does not displace finals, of itself or others", async (t) => {
  const store = await openStore(t, { maxBytes: 512 * 1024 });
  await store.append("vm", start("web"), "");
  await store.append("vm", start("flapping"), "");
  await Promise.all(
    Array.from({ length: 5_000 }, (_, count) => store.append("vm", ports("flapping", count), "")),
  );
  const counts = await guestsIn(store);
  assert.ok((counts.vm ?? 0) <= 1_002, `${counts.vm}`);
  assert.equal(store.oldest(undefined), 1n);
  const read = store.read({
    after: 0n,
    follow: false,
    signal: new AbortController().signal,
    guest: undefined,
  });
  assert.equal((await read.next()).value?.notice.case, "start");
  await read.return();
});

for (const [what, status, cause] of [
  ["finals", Status.FAILED, "of an operation"],
  ["progress", Status.STARTING, "that is going on"],
] as const) {
  test(`many loud containers do not displace the ${what} ${cause} of a quiet one in the same guest`, async (t) => {
    const store = await openStore(t, { maxBytes: 512 * 1024 });
    await store.append("vm", start("quiet", status), "");
    for (let count = 0; count < 300; count++) {
      await store.append("vm", start(`loud${count % 12}`, status, "a".repeat(2_000)), "");
    }
    const names: string[] = [];
    const all = { after: 0n, follow: false, signal: new AbortController().signal, guest: "vm" };
    for await (const { notice } of store.read(all)) {
      if (notice.case === "start") names.push(notice.value.containerName);
    }
    assert.ok(names.includes("quiet"));
    assert.equal(new Set(names).size, 13);
  });
}

test("events are dropped when they are too old", async (t) => {
  const clock = new ManualClock();
  const store = await openStore(t, { clock, maxAge: DAY });
  await store.append("vm", start("old"), "");
  await clock.advance(DAY + 120_000);
  await store.append("vm", start("new"), "");
  assert.deepEqual(await guestsIn(store), { vm: 1 });
  assert.equal(store.oldest("vm"), 2n);
  assert.deepEqual(
    store.operations({ limit: 9 }).map(({ container }) => container),
    ["new"],
  );
});

test("events of very many containers make room too, the oldest first", async (t) => {
  const store = await openStore(t, { maxBytes: 500 * 200 });
  await Promise.all(Array.from({ length: 1_000 }, (_, at) => store.append("loud", start(`c${at}`), "")));
  const kept = (await guestsIn(store)).loud ?? 0;
  assert.ok(kept > 100 && kept < 500, `${kept}`);
  assert.equal(store.oldest("loud"), BigInt(1_000 - kept + 1));
});

test("whatever comes, the bytes stay within the limit, and no guest below its share loses a final", async () => {
  const input = fc.array(
    fc.record({
      guest: fc.constantFrom("loud", "louder"),
      container: fc.constantFrom("a", "b"),
      status: fc.constantFrom(Status.STARTED, Status.STARTING),
      size: fc.integer({ min: 0, max: 4_000 }),
    }),
    { minLength: 50, maxLength: 200 },
  );
  const maxBytes = 40_000;
  await fc.assert(
    fc.asyncProperty(input, async (notices) => {
      const folder = await mkdtemp(join(tmpdir(), "retention-"));
      try {
        await using store = await EventStore.open({
          folder,
          clock: new ManualClock(),
          log: silentLogger,
          maxBytes,
        });
        await store.append("quiet", start("web"), "");
        for (const { guest, container, status, size } of notices) {
          await store.append(guest, start(container, status, "x".repeat(size)), "");
        }
        assert.equal((await guestsIn(store)).quiet, 1);
        const file = await stat(join(folder, "database/host.db"));
        assert.ok(file.size < 20 * maxBytes);
      } finally {
        await rm(folder, { recursive: true });
      }
    }),
    { numRuns: 10 },
  );
});
