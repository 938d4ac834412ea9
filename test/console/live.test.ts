import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

describe("the console shows how things are", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  const badge = ({ page }: ConsoleBrowser, name: string, state: string) =>
    page.getByRole("listitem").filter({ hasText: name }).getByText(state, { exact: true });

  test("what happens elsewhere appears by itself", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    await badge(at, "penguin", "running").waitFor();
    at.guest.containers.set("penguin", "stopped");
    await at.guest.notify("containerShutdown", { containerName: "penguin" });
    await badge(at, "penguin", "stopped").waitFor();
    assert.deepEqual(at.complaints, []);
  });

  test("while the host is away nothing is shown as live, no button works, and afterwards all goes on", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    const { page } = at;
    await badge(at, "penguin", "running").waitFor();
    await at.stopHost();
    await page.getByRole("status").filter({ hasText: "Not connected" }).waitFor();
    await page.getByText(/The host does not answer.*how things were at/).waitFor();
    const stop = page.getByRole("button", { name: "Stop penguin" });
    assert.equal(await stop.getAttribute("aria-disabled"), "true");
    assert.match((await stop.getAttribute("title")) ?? "", /host does not answer/);
    at.guest.containers.set("penguin", "stopped");
    await at.startHost();
    await badge(at, "penguin", "stopped").waitFor();
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
    assert.equal(await page.getByText("how things were at").count(), 0);
  });

  test("after the computer slept, nothing old is shown as live", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    await at.page.clock.install();
    await at.signIn();
    await badge(at, "penguin", "running").waitFor();
    // What the page asks for after the sleep waits until it was looked at.
    const gate = Promise.withResolvers<void>();
    await at.page.route("**/tremplin.v1.Host/ListContainers", async (route) => {
      await gate.promise;
      await route.continue();
    });
    at.guest.containers.set("penguin", "stopped");
    await at.page.clock.fastForward(3 * 3_600_000);
    await at.page
      .getByRole("status")
      .filter({ hasText: /Connecting|Not connected/ })
      .waitFor();
    await at.page.getByText("how things were at").waitFor();
    gate.resolve();
    await badge(at, "penguin", "stopped").waitFor();
    await at.page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  });

  test("a hidden page asks for nothing", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await at.signIn();
    const { page } = at;
    const setHidden = (isHidden: boolean) =>
      page.evaluate(`
        Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      `);
    await page.clock.install();
    await setHidden(true);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.clock.runFor(60_000);
    assert.deepEqual(asked, []);
    await setHidden(false);
    await page.waitForRequest("**/Watch");
    await page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  });

  test("names and reasons of a guest are shown as text", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "<img src=x onerror=alert(1)>");
    at.guest.fault = "<script>alert(1)</script>\u202eevil\u001b[31m";
    await at.signIn();
    at.guest.containers.set("penguin", "stopped");
    await at.page.getByRole("button", { name: "Start penguin" }).click();
    await at.show("#/history");
    await at.page.getByText("<script>alert(1)</script>").waitFor();
    const shown = (await at.page.textContent("main")) ?? "";
    assert.ok(!shown.includes("\u202e") && !shown.includes("\u001b"));
    assert.deepEqual(at.complaints, []);
  });
});
