import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

describe("what a person does in the console", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  test("the life of a container: create, start, restart, stop, delete", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    const gate = Promise.withResolvers<void>();
    guest.gate = gate.promise;
    await at.signIn();
    await page.getByRole("heading", { name: "No container yet" }).waitFor();
    await page.getByRole("button", { name: "New container" }).click();
    await page.getByLabel("Name").fill("penguin");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("progressbar", { name: "Create of penguin" }).waitFor();
    gate.resolve();
    await page.getByRole("button", { name: "Start penguin" }).click();
    await page.getByRole("button", { name: "Stop penguin" }).waitFor();
    await page.getByRole("link", { name: "penguin" }).click();
    await page.getByRole("button", { name: "Restart" }).click();
    await page.getByText("Started.").nth(1).waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.locator("h1 + .badge", { hasText: "stopped" }).waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("Lost for good: every file in penguin").waitFor();
    await page.getByRole("button", { name: "Delete penguin" }).click();
    await page.getByRole("heading", { name: "There is no container penguin on vm" }).waitFor();
    await page.getByText("Deleted.").waitFor();
    const asked = ["create penguin", "start penguin", "restart penguin", "stop penguin", "delete penguin"];
    assert.deepEqual(guest.asked, asked);
    assert.deepEqual(at.complaints, []);
  });

  test("a button that is not legal now does nothing, and says why to everybody", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "stopped");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    const stop = at.page.getByRole("button", { name: "Stop", exact: true });
    assert.equal(await stop.getAttribute("aria-disabled"), "true");
    const reason = (await stop.getAttribute("title")) ?? "";
    assert.match(reason, /penguin is stopped already/);
    const described = await stop.evaluate(
      (button) => button.ownerDocument.getElementById(button.getAttribute("aria-describedby"))?.textContent,
    );
    assert.equal(described, reason);
    // As a person would, who cannot know that it does nothing.
    await stop.click({ force: true });
    await at.page.keyboard.press("Enter");
    assert.deepEqual(at.guest.asked, []);
  });

  test("an error comes in the guest's own sentence", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    await at.page.getByLabel("User name").fill("root");
    await at.page.getByRole("button", { name: "Set up" }).click();
    await at.page.getByText('The user name "root" belongs to the system.').waitFor();
    await at.page.getByRole("button", { name: "Close this message" }).click();
    at.guest.notes = ["it has no sudo"];
    await at.page.getByLabel("User name").fill("ada");
    await at.page.getByRole("button", { name: "Set up" }).click();
    await at.page.getByText("The primary user of penguin is ada. It has no sudo.").waitFor();
    at.guest.fault = "there is no space left; free 3 GiB";
    await at.page.getByRole("button", { name: "Stop", exact: true }).click();
    await at.page.getByText("Stopping failed: there is no space left; free 3 GiB.").waitFor();
  });

  test("a backup shows how far it is, and can be cancelled", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    at.guest.gate = new Promise(() => undefined);
    await at.signIn();
    await at.show("#/container/vm/penguin");
    await at.page.getByRole("button", { name: "Back up" }).click();
    await at.page.getByRole("progressbar", { name: "Backup of penguin" }).waitFor();
    await at.page.getByRole("button", { name: "Cancel: Backup of penguin" }).click();
    await at.page.getByText("Exporting was cancelled.").waitFor();
  });

  test("a snapshot is called one, and can be cancelled", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "stopped");
    at.guest.gate = new Promise(() => undefined);
    await at.signIn();
    at.guest.begin("snapshot", "penguin", async () => {
      const notice = { containerName: "penguin", status: 1, progressMessages: ["taking a snapshot"] };
      await at.guest.notify("upgradeContainerStatus", notice);
      await at.guest.gateOrCancel();
      await at.guest.notify("upgradeContainerStatus", { ...notice, status: 3, failureReason: "cancelled" });
    });
    await at.show("#/container/vm/penguin");
    await at.page.getByRole("button", { name: "Cancel: Snapshot of penguin" }).click();
    await at.page.getByText("Upgrade, snapshot or restore", { exact: true }).waitFor();
    assert.ok(at.guest.asked.includes("cancel"));
  });

  test("an upgrade is checked first", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    const { page } = at;
    assert.equal(await page.getByRole("button", { name: /^Upgrade to/ }).count(), 0);
    await page.getByRole("button", { name: "Check first" }).click();
    await page.getByText("300 MB to download.").waitFor();
    await page.getByRole("button", { name: "Upgrade to Debian 13" }).click();
    await page.getByText("What the last upgrade did").waitFor();
  });

  test("a name that is taken or impossible is refused before anything is asked", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    await at.show("#/create/vm");
    for (const [name, problem] of [
      ["", "Give it a name."],
      ["penguin", "There is a container penguin already"],
      ["-x", "A name has up to 63 letters"],
    ] as const) {
      await at.page.getByLabel("Name").fill(name);
      await at.page.keyboard.press("Enter");
      await at.page.getByText(problem).waitFor();
    }
    assert.deepEqual(at.guest.asked, []);
  });

  test("an import under a name that is taken leads to that container's own page", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "stopped");
    await at.signIn();
    await at.show("#/restore/vm");
    await at.page.getByLabel("From").selectOption("shared");
    await at.page.getByLabel("Backup").fill("penguin.tar.gz");
    await at.page.getByLabel("Name").fill("penguin");
    await at.page.getByRole("button", { name: "Import", exact: true }).click();
    await at.page.getByText("Its own page can replace it by a backup").waitFor();
    assert.equal(await at.page.title(), "Import a backup – Tremplin");
    await at.page.getByLabel("Name").fill("walrus");
    await at.page.getByRole("button", { name: "Import", exact: true }).click();
    await at.page.getByRole("link", { name: "walrus" }).waitFor();
  });
});
