import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { systemClock } from "../../base/async/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { ContainerStartProgressSchema } from "../../contract/tremplin_pb.js";
import { EventStore } from "./event-store.ts";

function line(sequence: number, id = ""): string {
  const event = {
    sequence: `${sequence}`,
    time: "2026-11-30T10:00:00Z",
    guest: "vm",
    operation: "op1",
    start: { containerName: "web", status: "STARTED" },
  };
  return `${JSON.stringify({ notice: id && `vm/${id}`, event })}\n`;
}

test("the log of an earlier version is taken over once: numbers, ids, operations", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "old-log-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "events.5.jsonl"), `${line(5, "x")}${line(6)}damaged\n`);
  await writeFile(join(folder, "events.7.jsonl"), `${line(7)}${line(8).slice(0, 40)}`);
  const options = { folder, clock: systemClock, log: silentLogger };
  for (let start = 0; start < 2; start++) {
    await using store = await EventStore.open(options);
    const read = { after: 0n, follow: false, signal: new AbortController().signal, guest: undefined };
    const events = await Array.fromAsync(store.read(read));
    assert.deepEqual(
      events.map(({ sequence, operation }) => `${sequence} ${operation}`),
      ["5 op1", "6 op1", "7 op1"],
    );
    const value = create(ContainerStartProgressSchema, { containerName: "web", status: 1 });
    await store.append("vm", { case: "start", value }, "x");
    assert.equal(store.newest, 7n);
    assert.deepEqual(
      store.operations({ limit: 9 }).map(({ id, state, begun }) => [id, state, begun]),
      [["op1", "done", Date.parse("2026-11-30T10:00:00Z")]],
    );
    assert.deepEqual((await readdir(folder)).sort(), ["database", "lock"]);
  }
});

test("an empty segment of an earlier version sets where the numbers go on", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "old-log-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "events.9.jsonl"), "");
  await using store = await EventStore.open({ folder, clock: systemClock, log: silentLogger });
  assert.equal(store.newest, 8n);
});

test("a log that cannot be read fails the start, and leaves the folder to the next one", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "old-log-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "events.1.jsonl"));
  const options = { folder, clock: systemClock, log: silentLogger };
  await assert.rejects(EventStore.open(options), { code: "EISDIR" });
  await rm(join(folder, "events.1.jsonl"), { recursive: true });
  await using store = await EventStore.open(options);
  assert.equal(store.newest, 0n);
});
