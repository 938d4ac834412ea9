import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../../base/logger.ts";
import { WrittenSettings } from "./written-settings.ts";

async function inFolder(act: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "settings-"));
  try {
    await act(join(folder, "lxd.settings.json"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("pending and confirmed settings survive the process", async () => {
  await inFolder(async (file) => {
    const options = { file, deferred: false, log: silentLogger };
    const first = await WrittenSettings.open(options);
    await first.begin({ server: { a: "1" } });
    const second = await WrittenSettings.open(options);
    assert.deepEqual(second.of("server"), { confirmed: undefined, pending: { a: "1" } });
    await second.confirm({ server: { a: "1" } });
    const third = await WrittenSettings.open(options);
    assert.deepEqual(third.of("server"), { confirmed: { a: "1" }, pending: undefined });
  });
});

test("a damaged record is set aside and counts as none; a deferred record is on disk only once saved", async () => {
  await inFolder(async (file) => {
    for (const text of ["{", '{"confirmed":{"server":{"a":1}}}', "[]", ""]) {
      await writeFile(file, text);
      const settings = await WrittenSettings.open({ file, deferred: true, log: silentLogger });
      assert.equal(settings.of("server").confirmed, undefined);
      assert.equal(await readFile(`${file}.unreadable`, "utf8"), text);
      await rm(`${file}.unreadable`);
      await settings.begin({ server: { a: "1" } });
      await settings.confirm({ server: { a: "1" } });
      await assert.rejects(readFile(file), { code: "ENOENT" });
      await settings.save();
      assert.match(await readFile(file, "utf8"), /"a":"1"/);
    }
  });
});
