import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

describe("everybody can use the console", () => {
  let browser: Browser;
  let axe: string;
  before(async () => {
    browser = await launchBrowser();
    axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
  });
  after(() => browser.close());

  /** Several tests, so that none of them takes long. */
  const pages: Readonly<Record<string, readonly string[]>> = {
    "what is done with containers": ["#/", "#/container/vm/penguin", "#/create/vm", "#/restore/vm"],
    "guests and history": ["#/history", "#/guests", "#/add-guest", "#/guest/vm", "#/debug/vm"],
    "logs, terminals, and what is not there": [
      "#/log/vm/penguin",
      "#/terminal/vm/penguin",
      "#/terminal/vm/walrus",
      "#/nothing",
      "#/container/vm/gone",
      "#/guest/gone",
    ],
  };

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [what, hashes] of Object.entries(pages)) {
      test(`axe finds nothing: ${what}, ${colorScheme}`, async (t) => {
        const at = await openNarrow(t, colorScheme);
        await at.signIn();
        at.guest.gate = new Promise(() => undefined);
        await at.show("#/container/vm/busy");
        await at.page.getByRole("button", { name: "Back up" }).click();
        await at.page.getByRole("progressbar").waitFor();
        for (const hash of hashes) {
          await at.show(hash);
          await at.page.getByRole("heading").first().waitFor();
          assert.deepEqual(await violations(at, axe), [], hash);
          const widest = await at.page.evaluate("document.documentElement.scrollWidth");
          assert.equal(widest, 360, `${hash} needs no scrolling sideways`);
        }
      });
    }

    test(`axe finds nothing: sign-in, a question, and a host that is away, ${colorScheme}`, async (t) => {
      const at = await openNarrow(t, colorScheme);
      await at.page.goto(at.url);
      assert.deepEqual(await violations(at, axe), []);
      await at.signIn();
      await at.show("#/container/vm/penguin");
      await at.page.getByRole("button", { name: "Delete" }).click();
      assert.deepEqual(await violations(at, axe), []);
      await at.page.keyboard.press("Escape");
      await at.stopHost();
      await at.page.getByText("how things were at").waitFor();
      assert.deepEqual(await violations(at, axe), []);
    });
  }

  async function openNarrow(t: Parameters<typeof ConsoleBrowser.open>[0], colorScheme: "light" | "dark") {
    const viewport = { width: 360, height: 740 };
    // Without transitions: in the middle of one a colour is neither of the two that were chosen.
    const at = await ConsoleBrowser.open(t, browser, { colorScheme, viewport, reducedMotion: "reduce" });
    at.guest.containers.set("penguin", "running").set("walrus", "stopped").set("busy", "running");
    return at;
  }

  test("the keyboard alone creates a container, and asks before it deletes one", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await at.signIn();
    const { page } = at;
    const focused = () => page.evaluate("document.activeElement?.textContent");
    const tabTo = async (text: string) => {
      for (let count = 0; count < 30 && (await focused()) !== text; count++) await page.keyboard.press("Tab");
      assert.equal(await focused(), text);
    };
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Skip to the content");
    await page.keyboard.press("Enter");
    await tabTo("New container");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "New container" }).waitFor();
    await page.getByLabel("Name").focus();
    await page.keyboard.type("penguin");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "penguin" }).waitFor();
    await tabTo("penguin");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "penguin" }).waitFor();
    await tabTo("Delete");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    // Nothing is lost by pressing Enter once more.
    assert.equal(await focused(), "Cancel");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await focused(), "Delete");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo("Delete penguin");
    await page.keyboard.press("Enter");
    await page.getByText("There is no container penguin on vm").waitFor();
  });

  test("the keyboard alone takes a snapshot and deletes it, and goes on where it was", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "stopped");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    const { page } = at;
    const focused = () => page.evaluate("document.activeElement?.outerHTML ?? ''").then(String);
    await page.getByLabel("Snapshot", { exact: true }).focus();
    await page.keyboard.type("fine");
    for (const _ of [1, 2]) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator('[aria-label="Delete fine"][aria-disabled="false"]').focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("There is none yet. Take one").waitFor();
    await page.waitForFunction("document.activeElement !== document.body");
    assert.match(await focused(), /^<section class="card"[^>]*><h2>Snapshots/);
    await page.keyboard.press("Tab");
    assert.match(await focused(), /^<input/);
  });

  test("the keyboard alone adds a guest and removes it", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await at.signIn();
    await at.show("#/add-guest");
    const { page } = at;
    await page.getByLabel("Name", { exact: true }).focus();
    await page.keyboard.type("lab");
    await page.keyboard.press("Tab");
    await page.keyboard.type(`unix:${at.folder}/lab.sock`);
    await page.keyboard.press("Tab");
    await page.keyboard.type(`unix:${at.folder}/lab-notices.sock`);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "lab" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await page.evaluate("document.activeElement?.textContent"), "Remove");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "The host has no guest lab" }).waitFor();
    await page.waitForFunction("document.activeElement?.id === 'main'");
  });
});

/** What axe has against the page as it is: the rule, and where. */
async function violations({ page }: ConsoleBrowser, axe: string): Promise<string[]> {
  // Outside of the page's own policy, which forbids other scripts.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  const { result } = await session.send("Runtime.evaluate", {
    expression: "axe.run().then((result) => JSON.stringify(result))",
    awaitPromise: true,
  });
  await session.detach();
  const { violations: found } = JSON.parse(result.value) as AxeResult;
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
