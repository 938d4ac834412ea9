import assert from "node:assert/strict";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setAsideRecords } from "./set-aside-records.ts";

test("each record that was set aside is listed with its reason, oldest first", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "set-aside-"));
  t.after(() => rm(folder, { recursive: true }));
  const files = {
    "1.json.unreadable": "{",
    "2.json.unreadable": "",
    "3.json.set-aside": '{"id":"3"}',
    "4.json.set-aside": '{"id":"4"}',
    "4.json.set-aside.reason": "there are two of c1\n",
    "5.json": "{}",
  };
  for (const [index, [name, text]] of Object.entries(files).entries()) {
    await writeFile(join(folder, name), text);
    await utimes(join(folder, name), index + 1, index + 1);
  }
  assert.deepEqual(await setAsideRecords(folder), [
    { path: join(folder, "1.json.unreadable"), reason: "it is not JSON", since: 1000 },
    { path: join(folder, "2.json.unreadable"), reason: "it is empty", since: 2000 },
    {
      path: join(folder, "3.json.set-aside"),
      reason: "it is no record of an operation that this version knows",
      since: 3000,
    },
    { path: join(folder, "4.json.set-aside"), reason: "there are two of c1", since: 4000 },
  ]);
});
