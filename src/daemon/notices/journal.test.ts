import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
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

test("entries come in the order in which they began, also when the clock was set back meanwhile", () =>
  inFolder(async (folder, journal) => {
    await writeFile(join(folder, "old.json"), JSON.stringify({ ...entry, id: "old", startedAt: 9 }));
    await writeFile(join(folder, "older.json"), JSON.stringify({ ...entry, id: "older", startedAt: 8 }));
    await journal.entries();
    await journal.begin({ ...entry, id: "first", startedAt: 5 });
    const reopened = await Journal.open(folder, silentLogger);
    await reopened.entries();
    await reopened.begin({ ...entry, id: "second", startedAt: 4 });
    const again = await Journal.open(folder, silentLogger);
    assert.deepEqual(
      (await again.entries()).map(({ id }) => id),
      ["older", "old", "first", "second"],
    );
  }));

test("entries are read again, oldest first, until they are removed", () =>
  inFolder(async (folder, journal) => {
    await journal.begin(entry);
    await journal.begin({ ...entry, id: "b", startedAt: 2 });
    const reopened = await Journal.open(folder, silentLogger);
    assert.deepEqual(
      (await reopened.entries()).map(({ id }) => id),
      ["a", "b"],
    );
    await reopened.change("a", () => undefined);
    await reopened.change("a", () => undefined);
    assert.deepEqual(
      (await reopened.entries()).map(({ id }) => id),
      ["b"],
    );
  }));

test("an entry that cannot be read is set aside and does not block the others", () =>
  inFolder(async (folder, journal) => {
    await journal.begin(entry);
    await writeFile(join(folder, "torn.json"), '{"id": "torn", ');
    assert.deepEqual(
      (await journal.entries()).map(({ id }) => id),
      ["a"],
    );
    assert.ok((await readdir(folder)).includes("torn.json.unreadable"));
  }));

test("an entry that is removed during a listing is not listed", () =>
  inFolder(async (_folder, journal) => {
    const ids = Array.from({ length: 200 }, (_, index) => `n${index}`);
    await Promise.all(ids.map((id) => journal.begin({ ...entry, id })));
    const [left] = await Promise.all([
      journal.entries(),
      ...ids.map((id) => journal.change(id, () => undefined)),
    ]);
    assert.ok(left.length <= ids.length);
    assert.deepEqual(await journal.entries(), []);
  }));

test("a change that cannot be written leaves the entry unchanged, on disk and in memory", () =>
  inFolder(async (folder, journal) => {
    await journal.begin(entry);
    // Nothing can be written beside it while a folder has the name of the new file.
    await mkdir(join(folder, "a.json.new"));
    await assert.rejects(journal.change("a", (known) => ({ ...known, steps: { done: "yes" } })));
    assert.deepEqual(await journal.entries(), [{ ...entry, order: 1 }]);
    await rm(join(folder, "a.json.new"), { recursive: true });
    const reopened = await Journal.open(folder, silentLogger);
    assert.deepEqual(await reopened.entries(), [{ ...entry, order: 1 }]);
  }));

test("an entry that cannot be written does not exist", () =>
  inFolder(async (folder, journal) => {
    await mkdir(join(folder, "a.json.new"));
    await assert.rejects(journal.begin(entry));
    assert.deepEqual(await journal.entries(), []);
    assert.deepEqual(await readdir(folder), ["a.json.new"]);
  }));

test("an entry that cannot be read for now stays, and is read later", () =>
  inFolder(async (folder, journal) => {
    await journal.begin(entry);
    const path = join(folder, "a.json");
    const text = await readFile(path, "utf8");
    await rm(path);
    // What reading it says then is no word about the entry.
    await symlink("a.json", path);
    const reopened = await Journal.open(folder, silentLogger);
    assert.deepEqual(await reopened.entries(), []);
    assert.deepEqual(await readdir(folder), ["a.json"]);
    await rm(path);
    await writeFile(path, text);
    assert.deepEqual(await reopened.entries(), [{ ...entry, order: 1 }]);
  }));

test("unfinished files of a killed daemon are removed", () =>
  inFolder(async (folder, journal) => {
    await journal.begin(entry);
    await writeFile(join(folder, "b.json.new"), "{");
    await Journal.open(folder, silentLogger);
    assert.deepEqual(await readdir(folder), ["a.json"]);
  }));

test("a file that is no entry, or one with another id, is set aside too", () =>
  inFolder(async (folder, journal) => {
    await mkdir(join(folder, "folder.json"));
    await writeFile(join(folder, "liar.json"), JSON.stringify({ ...entry, id: "somebody-else" }));
    await writeFile(join(folder, "null.json"), "null");
    await journal.begin(entry);
    assert.deepEqual(await journal.entries(), [{ ...entry, order: 1 }]);
    assert.deepEqual((await readdir(folder)).sort(), [
      "a.json",
      "folder.json.unreadable",
      "liar.json.unreadable",
      "null.json.unreadable",
    ]);
  }));

test("fields of a newer version are kept", () =>
  inFolder(async (folder, journal) => {
    await writeFile(join(folder, "a.json"), JSON.stringify({ ...entry, colour: "blue" }));
    await journal.entries();
    await journal.change("a", (known) => ({ ...known, steps: { one: "1" } }));
    assert.equal(JSON.parse(await readFile(join(folder, "a.json"), "utf8")).colour, "blue");
  }));

test("the unfinished copy of an entry is removed, the entry stays", () =>
  inFolder(async (folder, journal) => {
    await journal.begin(entry);
    await writeFile(join(folder, "a.json.new"), '{"id": "a", ');
    await writeFile(join(folder, "b.json.new"), '{"id": "b", ');
    const reopened = await Journal.open(folder, silentLogger);
    assert.deepEqual(await readdir(folder), ["a.json"]);
    assert.equal((await reopened.entries()).length, 1);
  }));
