import assert from "node:assert/strict";
import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

const MIB = 1024 * 1024;
const SIZE = 3072 * MIB;
/** What the memory of all processes together may grow by; a file held anywhere would be three times as much. */
const MOST_GROWTH = 1024 * MIB;

/** 6 GB through a browser take minutes on a busy machine. */
const ALL = { skip: !process.env.TREMPLIN_TEST_ALL, timeout: 1_200_000 };

describe("3 GB through the console take no memory", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  const opened = async (t: TestContext) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.page.setDefaultTimeout(ALL.timeout);
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    return at;
  };

  test("a download", ALL, async (t) => {
    const at = await opened(t);
    at.guest.backupBytes = SIZE;
    await using memory = watchMemory();
    const saved = at.page.waitForEvent("download");
    await at.page.getByRole("button", { name: "Download", exact: true }).click();
    const path = await (await saved).path();
    assert.equal((await stat(path)).size, SIZE);
    await memory.assertFlat(t);
  });

  test("an upload", ALL, async (t) => {
    const at = await opened(t);
    const path = join(at.guest.shared, "large.tar.gz");
    await writeFile(path, "BZh");
    await truncate(path, SIZE);
    await at.page.getByLabel("Backup of this computer").setInputFiles(path);
    await using memory = watchMemory();
    await at.page.getByRole("button", { name: "Replace by this file" }).click();
    await at.page.getByRole("button", { name: "Replace it" }).click();
    await at.page.getByText("penguin was made from large.tar.gz, 3 GiB.").waitFor();
    assert.equal(at.guest.asked.at(-1), `read ${SIZE} bytes`);
    await memory.assertFlat(t);
  });
});

/** Looks again and again at the memory of this process, which is host and guest, and of the browser's processes below it. */
function watchMemory() {
  const stop = new AbortController();
  let first: number | undefined;
  let most = 0;
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const now = await memoryBelow(process.pid);
      first ??= now;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  return {
    async assertFlat(t: TestContext) {
      const growth = most - (first ?? 0);
      t.diagnostic(`the memory grew by ${Math.round(growth / MIB)} MiB`);
      assert.ok(growth < MOST_GROWTH, `${growth} bytes`);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
    },
  };
}

/** Bytes that a process and all that it began have for themselves: without files, and without what they share. */
async function memoryBelow(root: number): Promise<number> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    const [, parent] = /^PPid:\s*(\d+)/m.exec(await statusOf(name)) ?? [];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (id: number): boolean => id === root || (parents.has(id) && isBelow(parents.get(id) ?? 0));
  let bytes = 0;
  for (const id of parents.keys()) {
    const [, kib = "0"] = isBelow(id) ? (/^RssAnon:\s*(\d+)/m.exec(await statusOf(id)) ?? []) : [];
    bytes += Number(kib) * 1024;
  }
  return bytes;
}

async function statusOf(id: number | string): Promise<string> {
  return await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
}
