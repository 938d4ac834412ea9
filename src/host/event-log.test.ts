import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { damagedContents } from "../../test/support/damaged-contents.ts";
import { systemClock } from "../base/async/clock.ts";
import { ContainerStartProgressSchema } from "../contract/tremplin_pb.js";
import { EventLog, type EventLogOptions, type Notice } from "./event-log.ts";

const never = new AbortController().signal;

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "event-log-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function openLog(folder: string, options: Partial<EventLogOptions> = {}): Promise<EventLog> {
  return EventLog.open({ folder, clock: systemClock, ...options });
}

function started(containerName: string): Notice {
  return { case: "start", value: create(ContainerStartProgressSchema, { containerName, status: 1 }) };
}

async function recorded(log: EventLog, after = 0n): Promise<string[]> {
  const lines = [];
  for await (const event of log.read(after, false, never)) {
    const { value } = event.notice as { value: { containerName: string } };
    lines.push(`${event.sequence} ${event.guest} ${value.containerName}`);
  }
  return lines;
}

test("events are numbered from 1, also across a restart", async (t) => {
  const folder = await place(t);
  {
    await using log = await openLog(folder);
    assert.equal(log.newest, 0n);
    await Promise.all([log.append("vm", started("a"), ""), log.append("vm", started("b"), "")]);
  }
  await using log = await openLog(folder);
  await log.append("vm", started("c"), "");
  assert.deepEqual(await recorded(log), ["1 vm a", "2 vm b", "3 vm c"]);
  assert.deepEqual(await recorded(log, 2n), ["3 vm c"]);
  assert.equal(log.newest, 3n);
  assert.equal(log.oldest, 1n);
});

test("a notice is recorded once for each id and guest, also after a restart", async (t) => {
  const folder = await place(t);
  {
    await using log = await openLog(folder);
    await Promise.all([log.append("vm", started("a"), "x"), log.append("vm", started("a"), "x")]);
    await log.append("other", started("a"), "x");
  }
  await using log = await openLog(folder);
  await log.append("vm", started("a"), "x");
  assert.deepEqual(await recorded(log), ["1 vm a", "2 other a"]);
});

for (const [kind, tear] of Object.entries({
  "an incomplete line": (path: string) => appendFile(path, '{"notice":"y","event":{"sequ'),
  "a damaged line": (path: string) => appendFile(path, "\0\0\0\0\n"),
})) {
  test(`${kind} at the end is removed, and the next event has its number`, async (t) => {
    const folder = await place(t);
    {
      await using log = await openLog(folder);
      await log.append("vm", started("a"), "");
    }
    await tear(join(folder, "events.1.jsonl"));
    await using log = await openLog(folder);
    await log.append("vm", started("b"), "y");
    assert.deepEqual(await recorded(log), ["1 vm a", "2 vm b"]);
  });
}

test("a damaged file is copied aside, whatever is in it, and the log goes on with what can be read", async (t) => {
  for (const content of Object.values(damagedContents).filter(({ length }) => length > 0)) {
    const folder = await place(t);
    {
      await using log = await openLog(folder);
      await log.append("vm", started("a"), "");
    }
    const path = join(folder, "events.1.jsonl");
    const whole = await readFile(path);
    const damaged = Buffer.concat([whole, content, Buffer.from("\n")]);
    await writeFile(path, damaged);
    {
      await using log = await openLog(folder);
      assert.deepEqual(await recorded(log), ["1 vm a"]);
      assert.deepEqual(await readFile(`${path}.unreadable`), damaged);
      await log.append("vm", started("b"), "y");
    }
    await using log = await openLog(folder);
    assert.deepEqual(await recorded(log), ["1 vm a", "2 vm b"]);
  }
});

test("a log that was cut at any byte opens again and has no gap", async (t) => {
  const folder = await place(t);
  const path = join(folder, "events.1.jsonl");
  {
    await using log = await openLog(folder);
    for (const name of ["a", "b", "c"]) await log.append("vm", started(name), name);
  }
  const whole = await readFile(path);
  for (let length = 0; length <= whole.length; length += 7) {
    await writeFile(path, whole);
    await truncate(path, length);
    await using log = await openLog(folder);
    for (const name of ["a", "b", "c", "d"]) await log.append("vm", started(name), name);
    assert.deepEqual(await recorded(log), ["1 vm a", "2 vm b", "3 vm c", "4 vm d"], `cut at ${length}`);
  }
});

test("an event has the id of its operation; lines of older hosts have none", async (t) => {
  const folder = await place(t);
  const old = {
    notice: "vm/x",
    event: { sequence: "1", guest: "vm", start: { containerName: "a", status: "STARTED" } },
  };
  await writeFile(join(folder, "events.1.jsonl"), `${JSON.stringify(old)}\n`);
  {
    await using log = await openLog(folder);
    await log.append("vm", started("a"), "x", "00112233445566aa");
    await log.append("vm", started("b"), "y", "00112233445566aa");
  }
  await using log = await openLog(folder);
  const events = await Array.fromAsync(log.read(0n, false, never));
  assert.deepEqual(
    events.map(({ sequence, operation }) => [sequence, operation]),
    [
      [1n, ""],
      [2n, "00112233445566aa"],
    ],
  );
});

test("two segments are kept, and the numbering survives an empty one", async (t) => {
  const folder = await place(t);
  {
    await using log = await openLog(folder, { maxFileBytes: 1 });
    for (const name of ["a", "b", "c", "d"]) await log.append("vm", started(name), "");
    assert.deepEqual((await readdir(folder)).sort(), ["events.3.jsonl", "events.4.jsonl"]);
    assert.deepEqual(await recorded(log), ["3 vm c", "4 vm d"]);
    assert.equal(log.oldest, 3n);
  }
  await writeFile(join(folder, "events.9.jsonl"), "");
  await using log = await openLog(folder);
  assert.equal(log.newest, 8n);
  await log.append("vm", started("e"), "");
  assert.deepEqual(await recorded(log), ["4 vm d", "9 vm e"]);
});

test("a follower gets each event once while segments are replaced", async (t) => {
  const folder = await place(t);
  await using log = await openLog(folder, { maxFileBytes: 500 });
  const burst = () => Promise.all(Array.from({ length: 10 }, () => log.append("vm", started("x"), "")));
  await burst();
  const seen: bigint[] = [];
  for await (const { sequence } of log.read(0n, true, never)) {
    seen.push(sequence);
    if (sequence === 100n) break;
    if (sequence % 10n === 0n) void burst();
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, index) => BigInt(index + 1)),
  );
  assert.equal(log.oldest > 1n, true);
});

test("a follower that is too slow gets an error", async (t) => {
  const folder = await place(t);
  await using log = await openLog(folder, { maxFileBytes: 1 });
  await log.append("vm", started("a"), "");
  const reader = log.read(0n, true, never);
  assert.equal((await reader.next()).value?.sequence, 1n);
  for (let count = 0; count < 5; count++) await log.append("vm", started("b"), "");
  await assert.rejects(reader.next(), /events from 2 on were deleted/);
});

test("a notice that cannot be written is rejected, and recorded when it is sent again", async (t) => {
  const folder = await place(t);
  await using log = await openLog(folder, { maxFileBytes: 1 });
  await log.append("vm", started("a"), "1");
  await rm(folder, { recursive: true });
  await assert.rejects(log.append("vm", started("b"), "2"), { code: "unavailable", message: /cannot write/ });
  await mkdir(folder);
  await log.append("vm", started("b"), "2");
  assert.equal(log.newest, 2n);
});

test("a folder belongs to one log", async (t) => {
  const folder = await place(t);
  {
    await using _log = await openLog(folder);
    await assert.rejects(openLog(folder), { code: "busy", message: /another host has it open/ });
  }
  await using log = await openLog(folder);
  assert.equal(log.newest, 0n);
});
