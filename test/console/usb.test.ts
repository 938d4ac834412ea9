import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

describe("USB and debug information in the console", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  test("a port is attached, moved to another container and detached", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.containers.set("penguin", "running").set("walrus", "stopped");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    await page.getByText("Maker Hub (0409:55aa)").waitFor();
    await page.getByText("with Stick (46f4:0001)").waitFor();
    await page.getByRole("button", { name: "Attach port 1 to penguin" }).click();
    await page.getByText("Port 1, USB 2, attached to penguin").waitFor();
    await at.show("#/guest/vm");
    await page.getByLabel("Container", { exact: true }).selectOption("walrus");
    await page.getByRole("button", { name: "Move port 1 to walrus" }).click();
    await page.getByText("penguin loses Maker Hub (0409:55aa) at once.").waitFor();
    await page.getByRole("button", { name: "Move it to walrus" }).click();
    await page.getByText("Port 1, USB 2, attached to walrus").waitFor();
    await page.getByText("1 empty port").click();
    await page.getByRole("button", { name: "Attach port 2 to walrus" }).click();
    await page.getByText("Port 2, USB 3, attached to walrus").waitFor();
    await page.getByRole("button", { name: "Detach port 1 from walrus" }).click();
    await page.getByRole("button", { name: "Detach it" }).click();
    await page.getByText("Port 1, USB 2, attached to no container").waitFor();
    assert.deepEqual(at.complaints, []);
  });

  test("a guest without a controller says so", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.usb.hasController = false;
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    await at.page.getByText("vm has no USB controller").waitFor();
  });

  test("debug information is read, copied and saved without what would change how it is shown", async (t) => {
    const at = await ConsoleBrowser.open(t, browser, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const { page } = at;
    await at.signIn();
    await at.show("#/guest/vm");
    await page.getByRole("link", { name: "Debug information" }).click();
    await page.getByRole("heading", { name: "daemon" }).waitFor();
    assert.equal(await page.getByLabel("daemon").textContent(), "version  [31m1");
    const expected = "== daemon\nversion  [31m1";
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("It is in the clipboard.").waitFor();
    assert.equal(await page.evaluate("navigator.clipboard.readText()"), expected);
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), "tremplin-vm.txt");
    const chunks = await (await download.createReadStream()).toArray();
    assert.equal(Buffer.concat(chunks).toString(), `${expected}\n`);
    assert.deepEqual(at.complaints, []);
  });

  test("while the guest is away no old text is shown", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page } = at;
    await at.signIn();
    await at.show("#/debug/vm");
    await page.getByText("version").waitFor();
    await at.guest.close();
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("Cannot reach guest vm").waitFor();
    assert.equal(await page.getByText("version").count(), 0);
    assert.equal(await page.getByRole("button", { name: "Download" }).getAttribute("aria-disabled"), "true");
  });
});
