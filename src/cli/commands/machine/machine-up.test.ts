import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RecordedIo } from "../../../../test/support/command-line.ts";
import { run } from "../../program.ts";

const skip = process.geteuid?.() === 0 ? false : "only root is refused";

test("root starts no machine without --as-root, and nothing of one is made", { skip }, async (t) => {
  const machines = await mkdtemp(join(tmpdir(), "tremplin-"));
  t.after(() => rm(machines, { recursive: true }));
  const io = new RecordedIo();
  assert.equal(await run(["machine", "up", "--folder", machines], io), 2);
  assert.match(io.stderr, /--as-root/);
  assert.deepEqual(await readdir(machines), []);
});
