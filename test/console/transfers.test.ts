import assert from "node:assert/strict";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";
import { eventually } from "../support/eventually.ts";

const MIB = 1024 * 1024;

describe("backups of this computer in the console", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  const opened = async (t: Parameters<typeof ConsoleBrowser.open>[0], page = "#/container/vm/penguin") => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    await at.show(page);
    return at;
  };

  /** A file of this computer that begins as a backup does. */
  const backup = async (at: ConsoleBrowser, bytes: number, name = "penguin-20260101-120000.tar.gz") => {
    const path = join(at.guest.shared, name);
    await writeFile(path, "BZh");
    await truncate(path, bytes);
    return path;
  };

  const nothingIsKept = (at: ConsoleBrowser) =>
    eventually("nothing is kept", async () => {
      const kept = await readdir(join(at.guest.shared, "transfers")).catch(() => []);
      return kept.length === 0 || undefined;
    });

  test("Download packs a container, and the browser saves the file", async (t) => {
    const at = await opened(t);
    const { page, guest } = at;
    guest.backupBytes = 40 * MIB;
    const gate = Promise.withResolvers<void>();
    guest.gate = gate.promise;
    await page.getByRole("button", { name: "Download", exact: true }).click();
    const card = page.getByRole("region", { name: "Download of penguin" });
    await card.getByText("Step 1 of 2: packing, 5 of 10 files").waitFor();
    await card.getByText("Keep this page open").waitFor();
    assert.match(
      (await page.getByRole("button", { name: "Download", exact: true }).getAttribute("title")) ?? "",
      /One file at a time/,
    );
    const saved = page.waitForEvent("download");
    gate.resolve();
    const download = await saved;
    assert.match(download.suggestedFilename(), /^penguin-\d{8}-\d{6}\.tar\.gz$/);
    const content = await readFile(await download.path());
    assert.equal(content.length, guest.backupBytes);
    assert.equal(content.toString("utf8", 0, 19), "a backup of penguin");
    await page.getByText("was sent to your browser").waitFor();
    await card.waitFor({ state: "detached" });
    await nothingIsKept(at);
    assert.deepEqual(at.complaints, []);
  });

  test("a download can be cancelled while it is packed and while it is saved, and each end is a sentence", async (t) => {
    const at = await opened(t);
    const { page, guest } = at;
    guest.fault = "the disk is full; free 3 GiB";
    await page.getByRole("button", { name: "Download", exact: true }).click();
    await page.getByText("Exporting failed: the disk is full; free 3 GiB.").first().waitFor();
    guest.fault = "";
    guest.backupBytes = 512 * MIB;
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download", exact: true }).click();
    const download = await saved;
    await page.getByRole("button", { name: "Cancel: Download of penguin" }).click();
    await page.getByText("It was cancelled, and nothing of it was kept.").waitFor();
    assert.ok((await download.failure()) !== null);
    await page.getByRole("button", { name: "Close this message" }).last().click();
    guest.gate = new Promise(() => undefined);
    await page.getByRole("button", { name: "Download", exact: true }).click();
    await page.getByText("Step 1 of 2: packing").waitFor();
    await page.getByRole("button", { name: "Cancel: Download of penguin" }).click();
    await page.getByText("It was cancelled, and nothing of it was kept.").waitFor();
    assert.ok(guest.asked.includes("cancel"));
    await nothingIsKept(at);
  });

  test("a file of this computer becomes a container, under the name that the file has", async (t) => {
    const at = await opened(t, "#/restore/vm");
    const { page, guest } = at;
    await page
      .getByLabel("Backup")
      .setInputFiles(await backup(at, 40 * MIB, "walrus-20260101-120000.tar.gz"));
    await page.getByText("40 MiB").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), "walrus");
    await page.getByRole("button", { name: "Import", exact: true }).click();
    await page.getByText("walrus was made from walrus-20260101-120000.tar.gz, 40 MiB.").waitFor();
    await page.getByRole("link", { name: "walrus" }).waitFor();
    assert.equal(guest.asked.at(-1), `read ${40 * MIB} bytes`);
    await nothingIsKept(at);
    assert.deepEqual(at.complaints, []);
  });

  test("a file replaces a container only after the dialog, and one that is no backup does not", async (t) => {
    const at = await opened(t);
    const { page, guest } = at;
    const replace = page.getByRole("button", { name: "Replace by this file" });
    assert.equal(await replace.getAttribute("aria-disabled"), "true");
    const text = join(guest.shared, "notes.tar.gz");
    await writeFile(text, "just a text");
    await page.getByLabel("Backup of this computer").setInputFiles(text);
    await replace.click();
    await page.getByText("Lost for good: all that changed in penguin").waitFor();
    await page.getByRole("button", { name: "Replace it" }).click();
    await page.getByText("The file is not a backup; a backup is a tar archive").waitFor();
    assert.deepEqual(guest.asked, []);
    await page.getByLabel("Backup of this computer").setInputFiles(await backup(at, MIB));
    await replace.click();
    await page.getByRole("button", { name: "Replace it" }).click();
    await page.getByText("penguin was made from").waitFor();
    await nothingIsKept(at);
  });

  test("an upload shows how far it is, is cancelled, and leaves nothing; so does one whose page is closed", async (t) => {
    const at = await opened(t, "#/restore/vm");
    const { page, guest } = at;
    const file = await backup(at, 3072 * MIB);
    const begin = async (): Promise<void> => {
      await page.getByLabel("Backup").setInputFiles(file);
      await page.getByLabel("Name").fill("walrus");
      await page.getByRole("button", { name: "Import", exact: true }).click();
      await page.getByText(/Step 1 of 2: sending the file, .* of 3 GiB/).waitFor();
    };
    await begin();
    await page.getByRole("button", { name: /^Cancel: Upload of/ }).click();
    await page.getByText("It was cancelled, and nothing of it was kept.").waitFor();
    await nothingIsKept(at);
    await at.show("#/restore/vm");
    await begin();
    await page.close();
    await nothingIsKept(at);
    assert.deepEqual(guest.asked, []);
  });
});
