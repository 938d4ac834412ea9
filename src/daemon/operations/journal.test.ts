import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../base/logger.ts";
import { Journal } from "./journal.ts";

const entry = { id: "a", kind: "stop", container: "c1", startedAt: 1, request: {}, steps: {} };

async function inFolder(act: (folder: string, journal: Journal) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "journal-"));
  try {
    await act(folder, await Journal.open(folder, silentLogger));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("what was written is there again, oldest first, until it is removed", () =>
  inFolder(async (folder, journal) => {
    await journal.write({ ...entry, id: "b", startedAt: 2 });
    await journal.write(entry);
    const reopened = await Journal.open(folder, silentLogger);
    assert.deepEqual(
      (await reopened.entries()).map(({ id }) => id),
      ["a", "b"],
    );
    await reopened.remove("a");
    await reopened.remove("a");
    assert.deepEqual(
      (await reopened.entries()).map(({ id }) => id),
      ["b"],
    );
  }));

test("an entry that cannot be read is set aside and does not hold up the others", () =>
  inFolder(async (folder, journal) => {
    await journal.write(entry);
    await writeFile(join(folder, "torn.json"), '{"id": "torn", ');
    assert.deepEqual(
      (await journal.entries()).map(({ id }) => id),
      ["a"],
    );
    assert.ok((await readdir(folder)).includes("torn.json.unreadable"));
  }));

test("entries that are removed while they are listed are no entries", () =>
  inFolder(async (_folder, journal) => {
    const ids = Array.from({ length: 200 }, (_, index) => `n${index}`);
    await Promise.all(ids.map((id) => journal.write({ ...entry, id })));
    const [left] = await Promise.all([journal.entries(), ...ids.map((id) => journal.remove(id))]);
    assert.ok(left.length <= ids.length);
    assert.deepEqual(await journal.entries(), []);
  }));
