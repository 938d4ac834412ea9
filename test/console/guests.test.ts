import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { Engine_State as EngineState } from "../../src/contract/tremplin/v1/guest_pb.js";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

describe("the guests in the console", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  test("a guest is added and removed; one that cannot be is refused in the host's own sentence", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page } = at;
    await at.signIn();
    await page.getByRole("link", { name: "Guests" }).click();
    await page.getByRole("button", { name: "Add a guest" }).click();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("Give its name and its address.").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("lab");
    await page.getByLabel("Address", { exact: true }).fill(`unix:${at.folder}/vm.sock`);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("is the address of guest vm already").waitFor();
    await page.getByLabel("Address", { exact: true }).fill(`unix:${at.folder}/lab.sock`);
    await page.getByLabel("Address for its notices").fill(`unix:${at.folder}/lab-notices.sock`);
    await page.getByLabel("Address for its notices").press("Enter");
    await page.getByText("The host has the guest lab now. It does not answer yet:").waitFor();
    await page.getByRole("link", { name: "lab" }).click();
    await page.locator("h1 + .badge", { hasText: "away" }).waitFor();
    await page.getByText("It has never answered.").waitFor();
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByText("Lost: what the host knows of lab").waitFor();
    await page.getByRole("button", { name: "Remove lab" }).click();
    await page.getByRole("heading", { name: "The host has no guest lab" }).waitFor();
    await at.show("#/guest/vm");
    const remove = page.getByRole("button", { name: "Remove" });
    assert.match((await remove.getAttribute("title")) ?? "", /command line of the host/);
    assert.deepEqual(at.complaints, []);
  });

  test("a guest that is away is shown as it was last, and since when", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.containers.set("penguin", "running");
    await at.signIn();
    await page.getByRole("button", { name: "Stop penguin" }).waitFor();
    await guest.close();
    await page.getByText("was running").waitFor();
    await page.getByText(/It was last there at .*its containers are shown as they were then/).waitFor();
    assert.equal(await page.getByRole("button", { name: "Start penguin" }).count(), 0);
    assert.equal(
      await page.getByRole("button", { name: "Stop penguin" }).getAttribute("aria-disabled"),
      "true",
    );
    for (const hash of ["#/guests", "#/guest/vm", "#/container/vm/penguin"]) {
      await at.show(hash);
      await page.getByText("It was last there at").waitFor();
    }
    await guest.listen();
    await page.getByText("It was last there at").waitFor({ state: "detached" });
  });

  test("an engine that does not run is started from the page", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.engine = EngineState.STOPPED;
    await at.signIn();
    await page.getByRole("button", { name: "Start the engine of vm" }).click();
    await page.getByRole("heading", { name: "No container yet" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Start the engine of vm" }).count(), 0);
    assert.deepEqual(guest.asked, ["launch"]);
  });

  test("a guest says what it is, and what is in the way of its containers", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.problems.push({ area: "firewall", problem: "nft drops\u001b[2J packets", advice: "allow them" });
    await at.signIn();
    await at.show("#/guest/vm");
    await page.getByText("running: lxd 5.0.2").waitFor();
    await page.getByText("Nft drops [2J packets.").waitFor();
    await page.getByText("Allow them.").waitFor();
  });

  test("the time zone of all containers of a guest", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, guest } = at;
    guest.containers.set("penguin", "running").set("walrus", "stopped");
    guest.withoutZones.add("walrus");
    await at.signIn();
    await at.show("#/guest/vm");
    await page.getByText("Europe/Paris").waitFor();
    await page.getByText("penguin, walrus").waitFor();
    await page.getByLabel("Time zone").fill("Asia/Tokyo");
    await page.getByRole("button", { name: "Set" }).click();
    await page
      .getByText("Every container of vm has the time of Asia/Tokyo. In walrus only some programs have it.")
      .waitFor();
    assert.deepEqual(guest.asked, ["timezone Asia/Tokyo penguin walrus"]);
    await at.show("#/container/vm/penguin");
    await page.getByText("Clocks in penguin show the time of Europe/Paris.").waitFor();
  });
});
