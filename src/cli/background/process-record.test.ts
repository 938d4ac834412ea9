import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isAlive, readRecord, recordOf, writeRecord } from "./process-record.ts";

test("a record matches only the process it was made of, with a path of any letters", async (t) => {
  const args = ["-e", "setInterval(() => {}, 1000)", "/tmp/jürgen/状態"];
  const child = spawn(process.execPath, args);
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  const record = recordOf(child.pid as number, args);
  assert.ok(record);
  assert.equal(isAlive(record), true);
  assert.equal(isAlive({ ...record, startedAt: "1" }), false, "another process with this pid");
  assert.equal(isAlive({ ...record, boot: "an earlier one" }), false, "an earlier boot");
  assert.equal(isAlive({ ...record, words: ["daemon"] }), false, "another program with this pid");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(isAlive(record), false);
  assert.equal(recordOf(child.pid as number, []), undefined);
});

test("a record is read as it was written; a damaged file is no record", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "record-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "daemon.pid");
  assert.equal(await readRecord(path), undefined);
  const record = recordOf(process.pid, ["daemon", "--state", "/a b"]);
  assert.ok(record);
  await writeRecord(path, record);
  assert.deepEqual(await readRecord(path), record);
  for (const strange of ["1234\n", "", "{}", '{"pid":1']) {
    await writeFile(path, strange);
    assert.equal(await readRecord(path), "damaged", strange);
  }
});
