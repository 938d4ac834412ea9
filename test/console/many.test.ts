import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

const COUNT = 500;
/** Of a container that is not near the visible part, and of the page with those that are. */
const [ELEMENTS_EACH, ELEMENTS_ELSE] = [8, 2_000];
/** The containers on some screens. */
const MOST_NEAR = 60;

describe("many containers in the console", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  async function openMany(t: Parameters<typeof ConsoleBrowser.open>[0]): Promise<ConsoleBrowser> {
    const at = await ConsoleBrowser.open(t, browser);
    for (let index = 0; index < COUNT; index++) at.guest.containers.set(`web-${index}`, "running");
    await at.signIn();
    await at.page.getByText(`${COUNT} containers`).waitFor();
    return at;
  }

  test("those that are not seen cost little, and what concerns one changes one", async (t) => {
    const at = await openMany(t);
    const { page, guest } = at;
    const elements = Number(await page.evaluate("document.querySelectorAll('*').length"));
    assert.ok(elements < COUNT * ELEMENTS_EACH + ELEMENTS_ELSE, `${elements} elements`);
    assert.equal(await page.locator("main li h3 a").count(), COUNT);
    await page.evaluate(`
      window.changed = new Set();
      new MutationObserver((changes) => {
        for (const { target } of changes) window.changed.add((target.closest ? target : target.parentElement).closest("li"));
      }).observe(document.querySelector("main"), { subtree: true, childList: true, characterData: true, attributes: true });
    `);
    const last = page.getByRole("listitem").filter({ hasText: `web-${COUNT - 1}` });
    guest.containers.set(`web-${COUNT - 1}`, "stopped");
    await guest.notify("containerShutdown", { containerName: `web-${COUNT - 1}` });
    await last.getByText("stopped").waitFor({ state: "attached" });
    for (let count = 0; count < 2; count++) await page.waitForResponse(/ListContainers/);
    const changed = Number(await page.evaluate("window.changed.size"));
    assert.ok(changed > 0 && changed <= MOST_NEAR, `${changed} containers changed`);
  });

  test("the keyboard reaches the last one, and what can be done with it", async (t) => {
    const { page } = await openMany(t);
    const name = `web-${COUNT - 1}`;
    await page.getByRole("link", { name, exact: true }).focus();
    await page.getByRole("button", { name: `Stop ${name}`, exact: true }).waitFor();
    await page.keyboard.press("Tab");
    const focused = await page.evaluate("document.activeElement.getAttribute('aria-label')");
    assert.ok(`${focused}`.startsWith("Stop web-"), `${focused}`);
  });

  test("a field finds some of them", async (t) => {
    const { page } = await openMany(t);
    await page.getByLabel("Find a container").fill("web-49");
    await page.getByRole("link", { name: "web-10", exact: true }).waitFor({ state: "detached" });
    assert.equal(await page.locator("main li h3 a").count(), 11);
    await page.getByLabel("Find a container").fill("nothing like it");
    await page.getByText("No container has this in its name").waitFor();
  });
});
