import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";

describe("signing in to the console", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  test("a URL with a token opens the console once; the token is not in the URL that stays", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, url } = at;
    const signInUrl = await at.signInUrl();
    await page.goto(signInUrl);
    await page.getByRole("heading", { name: "Containers" }).waitFor();
    assert.equal(page.url(), url);
    await page.context().clearCookies();
    await page.goto(signInUrl);
    await page.getByText("has been used, or has expired").waitFor();
    await page.goto(url);
    await page.getByText("not signed in yet").waitFor();
    assert.equal(await page.getByText("tremplin console").count(), 1);
    assert.deepEqual(at.complaints, []);
  });

  test("a link of another site opens the console of a browser that is signed in", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    const { page, url } = at;
    await page.route("http://elsewhere.example/", (route) =>
      route.fulfill({ contentType: "text/html", body: `<a href="${at.url}">go</a>` }),
    );
    const signInUrl = await at.signInUrl();
    await page.route("http://mail.example/", (route) =>
      route.fulfill({ contentType: "text/html", body: `<a href="${signInUrl}">go</a>` }),
    );
    await page.goto("http://mail.example/");
    await page.getByRole("link").click();
    await page.getByRole("heading", { name: "Containers" }).waitFor();
    assert.equal(page.url(), url);
  });

  test("a page of another port of this machine is not answered, though it shares the cookie", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await at.signIn();
    const { page, url } = at;
    await page.route("http://127.0.0.1:1/", (route) =>
      route.fulfill({ contentType: "text/html", body: "<p>hostile</p>" }),
    );
    await page.goto("http://127.0.0.1:1/");
    at.guest.containers.set("penguin", "stopped");
    const outcome = await page.evaluate(async (target) => {
      const ask = (path: string, type: string, mode: "cors" | "no-cors") =>
        fetch(`${target}${path}`, {
          method: "POST",
          headers: { "content-type": type },
          body: "{}",
          credentials: "include",
          mode,
        })
          .then(() => "answered")
          .catch(() => "refused");
      return [
        await ask("vm_tools.tremplin.Tremplin/DeleteContainer", "text/plain", "no-cors"),
        await ask("tremplin.v1.Host/ListGuests", "application/json", "cors"),
      ];
    }, url);
    assert.deepEqual(outcome, ["refused", "refused"]);
    assert.deepEqual(at.guest.asked, []);
  });

  test("after Sign out the browser has to sign in again, in every tab", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await at.signIn();
    const other = await at.page.context().newPage();
    await other.goto(at.url);
    await other.getByRole("heading", { name: "Containers" }).waitFor();
    await at.page.getByRole("button", { name: "Sign out" }).click();
    await at.page.getByText("not signed in").waitFor();
    await other.getByText("not signed in").waitFor();
  });
});
