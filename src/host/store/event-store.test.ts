import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { systemClock } from "../../base/async/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import {
  ContainerStartProgressSchema,
  ContainerStartProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import { EventStore, type EventStoreOptions, type Notice } from "./event-store.ts";

const never = new AbortController().signal;

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "event-store-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function openStore(folder: string, options: Partial<EventStoreOptions> = {}): Promise<EventStore> {
  return EventStore.open({ folder, clock: systemClock, log: silentLogger, ...options });
}

function started(containerName: string, status = Status.STARTED, failureReason = ""): Notice {
  return {
    case: "start",
    value: create(ContainerStartProgressSchema, { containerName, status, failureReason }),
  };
}

async function recorded(store: EventStore, after = 0n, guest?: string): Promise<string[]> {
  const lines = [];
  for await (const event of store.read({ after, follow: false, signal: never, guest })) {
    const { value } = event.notice as { value: { containerName: string } };
    lines.push(`${event.sequence} ${event.guest} ${value.containerName}`);
  }
  return lines;
}

test("events are numbered from 1, also across a restart", async (t) => {
  const folder = await place(t);
  {
    await using store = await openStore(folder);
    assert.equal(store.newest, 0n);
    await Promise.all([store.append("vm", started("a"), ""), store.append("other", started("b"), "")]);
  }
  await using store = await openStore(folder);
  await store.append("vm", started("c"), "");
  assert.deepEqual(await recorded(store), ["1 vm a", "2 other b", "3 vm c"]);
  assert.deepEqual(await recorded(store, 2n), ["3 vm c"]);
  assert.deepEqual(await recorded(store, 0n, "vm"), ["1 vm a", "3 vm c"]);
  assert.deepEqual([store.newest, store.oldest(undefined)], [3n, 1n]);
});

test("a notice is recorded once for each id and guest, also after a restart", async (t) => {
  const folder = await place(t);
  {
    await using store = await openStore(folder);
    await Promise.all([store.append("vm", started("a"), "x"), store.append("vm", started("a"), "x")]);
    await store.append("other", started("a"), "x");
  }
  await using store = await openStore(folder);
  await store.append("vm", started("a"), "x");
  assert.deepEqual(await recorded(store), ["1 vm a", "2 other a"]);
});

test("a follower gets each event once, also while others are dropped", async (t) => {
  await using store = await openStore(await place(t), { maxBytes: 8_000 });
  const burst = () => Promise.all(Array.from({ length: 10 }, () => store.append("vm", started("x"), "")));
  await burst();
  const seen: bigint[] = [];
  for await (const { sequence } of store.read({ after: 0n, follow: true, signal: never, guest: undefined })) {
    seen.push(sequence);
    if (sequence === 100n) break;
    if (sequence % 10n === 0n) void burst();
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, index) => BigInt(index + 1)),
  );
  assert.ok(store.oldest(undefined) > 1n);
});

test("a follower that is too slow gets an error, unless it only missed progress", async (t) => {
  await using store = await openStore(await place(t), { maxBytes: 4_000 });
  await store.append("vm", started("a"), "");
  const open = () => store.read({ after: 0n, follow: true, signal: never, guest: "vm" });
  const [first, second] = [open(), open()];
  assert.equal((await first.next()).value?.sequence, 1n);
  for (let count = 0; count < 50; count++) await store.append("vm", started("b", Status.STARTING), "");
  assert.ok(((await first.next()).value?.sequence ?? 0n) > 1n);
  assert.equal((await second.next()).value?.sequence, 1n);
  for (let count = 0; count < 50; count++) await store.append("vm", started("b"), "");
  await assert.rejects(Array.fromAsync(second), /events \d+ to \d+ were dropped/);
});

test("a notice that cannot be written is rejected, and recorded when it is sent again", async (t) => {
  const folder = await place(t);
  await using store = await openStore(folder);
  await store.append("vm", started("a"), "1");
  // Another process holds the database.
  const other = new DatabaseSync(join(folder, "database/host.db"));
  other.exec("BEGIN IMMEDIATE");
  await assert.rejects(store.append("vm", started("b"), "2"), {
    code: "unavailable",
    message: /cannot write/,
  });
  other.exec("ROLLBACK");
  other.close();
  await store.append("vm", started("b"), "2");
  assert.deepEqual(await recorded(store), ["1 vm a", "2 vm b"]);
});

test("a folder belongs to one store", async (t) => {
  const folder = await place(t);
  {
    await using _store = await openStore(folder);
    await assert.rejects(openStore(folder), { code: "busy", message: /another host has it open/ });
  }
  await using store = await openStore(folder);
  assert.equal(store.newest, 0n);
});

const damages: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  "text instead of a database": (path) => writeFile(path, "what is this\n".repeat(1000)),
  "a database of another program": async (path) => {
    await rm(path);
    using other = new DatabaseSync(path);
    other.exec("CREATE TABLE person (name TEXT)");
  },
  "a database of a later version": async (path) => {
    using other = new DatabaseSync(path);
    other.exec("PRAGMA user_version = 99");
  },
  "overwritten pages": async (path) => {
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0xa5, 4096, 3 * 4096));
  },
};

for (const [damage, make] of Object.entries(damages)) {
  test(`${damage} is set aside, and numbers go on beyond the lost ones`, async (t) => {
    const folder = await place(t);
    {
      await using store = await openStore(folder);
      for (const name of ["a", "b", "c"]) await store.append("vm", started(name), name);
    }
    await make(join(folder, "database/host.db"));
    await using store = await openStore(folder);
    assert.ok(store.newest > 3n);
    await store.append("vm", started("d"), "");
    assert.equal((await recorded(store)).length, 1);
    assert.equal(store.oldest("vm"), store.newest, "all before the new event is lost");
    assert.equal((await readdir(folder)).filter((name) => name.startsWith("database.set-aside-")).length, 1);
  });
}

test("numbers go on beyond the lost ones although the host was killed while it replaced the database", async (t) => {
  const folder = await place(t);
  await mkdir(join(folder, "database.set-aside-1"));
  await using store = await openStore(folder);
  assert.ok(store.newest > 3n);
});

test("a database that was cut at any length opens: with a first part of its events, or set aside", async (t) => {
  const folder = await place(t);
  const path = join(folder, "database/host.db");
  {
    await using store = await openStore(folder);
    for (const name of ["a", "b", "c"]) await store.append("vm", started(name), name);
  }
  const whole = await readFile(path);
  for (let length = 0; length < whole.length; length += 10_007) {
    await writeFile(path, whole);
    await truncate(path, length);
    await using store = await openStore(folder);
    await store.append("vm", started("d"), "d");
    assert.match((await recorded(store)).at(-1) ?? "", /^\d+ vm d$/, `cut at ${length}`);
  }
});
