import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

describe("what people do with a container every day", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  test("a snapshot is taken, returned to and deleted, each after saying what is lost", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.containers.set("penguin", "running");
    guest.snapshots.add("penguin/tremplin-upgrade-1");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    await page.getByText("from before a release upgrade").waitFor();
    await page.getByLabel("Snapshot", { exact: true }).fill("fine");
    await page.getByLabel("Deleted after").selectOption("7");
    await page.getByRole("button", { name: "Take a snapshot" }).click();
    await page.getByRole("button", { name: "Return to fine" }).click();
    await page.getByText("Lost for good: every file that was written or changed in penguin since").waitFor();
    await page.getByText("its programs are killed at once").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Return to it" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // Once it has ended.
    await page.locator('[aria-label="Delete fine"][aria-disabled="false"]').click();
    await page.getByText("Lost for good: what penguin was").waitFor();
    await page.getByRole("button", { name: "Delete it" }).click();
    await page.getByText("fine", { exact: true }).waitFor({ state: "detached" });
    // That of an upgrade is neither returned to nor deleted here.
    assert.equal(await page.getByRole("button", { name: /tremplin-upgrade-1/ }).count(), 0);
    assert.deepEqual(guest.asked, ["snapshot for 604800 s of penguin", "restore penguin/fine in penguin"]);
    assert.deepEqual(at.complaints, []);
  });

  test("a running container is not renamed, and the page says why; a copy has its own page", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.containers.set("penguin", "running").set("walrus", "stopped");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    const renaming = page.getByRole("button", { name: "Rename" });
    assert.match((await renaming.getAttribute("title")) ?? "", /stop it first/);
    await page.getByLabel("New name").fill("walrus");
    await page.locator(".problem", { hasText: "There is a container walrus already" }).waitFor();
    await page.getByLabel("New name").fill("twin");
    await page.getByLabel("Copy its snapshots too").check();
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    await page.getByRole("heading", { name: "twin", exact: true }).waitFor();
    await page.locator("h1 + .badge", { hasText: "stopped" }).waitFor();
    await page.getByLabel("New name").fill("other");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { name: "other", exact: true }).waitFor();
    await page.locator("h1 + .badge", { hasText: "stopped" }).waitFor();
    assert.deepEqual(guest.asked, ["copy penguin with snapshots twin", "rename twin other"]);
    assert.deepEqual([...guest.containers.keys()], ["penguin", "walrus", "other"]);
  });

  test("settings are shown as they are; only what was changed is set", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.containers.set("penguin", "stopped");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    const save = page.getByRole("button", { name: "Save" });
    assert.equal(await save.getAttribute("aria-disabled"), "true");
    assert.equal(await page.getByLabel("Memory").inputValue(), "1GiB");
    guest.settings.cpu = "3";
    await page.getByLabel("Memory").fill("2GiB");
    await page.getByLabel("Autostart").selectOption("on");
    await save.click();
    await page.getByText("The settings of penguin are changed. It is so from now on.").waitFor();
    assert.deepEqual(guest.settings, { cpu: "3", memory: "2GiB", autostart: "on" });
  });

  test("the log of a container is text, whatever it wrote", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.containers.set("penguin", "running");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    await page.getByRole("link", { name: "Its log" }).click();
    await page.getByText("1000 lines", { exact: false }).waitFor();
    assert.ok(!((await page.textContent("main")) ?? "").includes("\u001b"));
    await page.getByLabel("Which").selectOption("start");
    await page.getByText("1000 lines of the start").waitFor();
    guest.containers.delete("penguin");
    await page.getByRole("button", { name: "Ask again" }).click();
    await page.getByText("There is no container penguin").waitFor();
    assert.equal(await page.getByText("1000 lines").count(), 0);
  });

  test("what an upgrade did is there after the page was opened again; a keep says what it loses", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.containers.set("penguin", "running");
    guest.containerFields = { hasRollbackSnapshot: true };
    await at.signIn();
    await at.show("#/container/vm/penguin");
    await page.getByRole("button", { name: "Check first" }).click();
    await page.getByRole("button", { name: "Upgrade to Debian 13" }).click();
    await page.getByText("What the last upgrade did").waitFor();
    await page.reload();
    await page.getByText("What the last upgrade did").click();
    const log = page.getByLabel("Log of the upgrade");
    await log.getByText("Setting up libc6").waitFor();
    assert.match((await log.textContent()) ?? "", /Debian 12.*40 % upgrading/s);
    await page.getByRole("button", { name: "Take a snapshot" }).click();
    await page.getByText("snap0").waitFor();
    assert.ok(!((await log.textContent()) ?? "").includes("snapshot"));
    await page.getByRole("button", { name: "Keep the upgrade" }).click();
    await page.getByText("the state of penguin from before the upgrade").waitFor();
    await page.getByRole("button", { name: "Keep it" }).click();
    await page.getByText("It was kept.").waitFor();
    await page.getByRole("button", { name: "Roll back", exact: true }).click();
    await page.getByText("every change in penguin since the upgrade began").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByText("It was rolled back.").waitFor();
  });

  test("a container of an image server; what is missing is said before anything is asked", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    await at.signIn();
    await at.show("#/create/vm");
    await page.getByLabel("Name").fill("penguin");
    await page.getByLabel("From").selectOption("server");
    await page.getByLabel("Address of the server").fill("images.example");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("Give an address that begins with https://").waitFor();
    await page.getByText("Give the alias of the image").waitFor();
    assert.deepEqual(guest.asked, []);
    await page.getByLabel("Address of the server").fill("https://images.example");
    await page.getByLabel("Image", { exact: true }).fill("debian/12");
    guest.fault = "https://images.example has no image debian/12";
    await page.getByRole("button", { name: "Create" }).click();
    await at.show("#/history");
    await page.getByText("has no image debian/12").waitFor();
    assert.deepEqual(guest.asked, ["image debian/12 of https://images.example", "create penguin"]);
  });
});
