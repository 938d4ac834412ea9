import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { PAGE_KEY } from "../../src/base/page-key.ts";
import { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import { Host } from "../../src/contract/tremplin/v1/host_pb.js";
import { Tremplin } from "../../src/contract/tremplin_pb.js";
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

  test("a program on another port gets the cookie, and can do nothing with it", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    const other = await at.page.context().newPage();
    await using thief = await cookieThief();
    await other.goto(thief.url);
    const { headers } = thief;
    assert.match(headers.cookie ?? "", /^tremplin-console-/);
    assert.ok(!Object.keys(headers).includes(PAGE_KEY));
    assert.equal(await other.evaluate("localStorage.length"), 0);
    const replayed = { cookie: headers.cookie ?? "", origin: new URL(at.url).origin };
    const calls = [Host, Guest, Tremplin].flatMap(({ typeName, methods }) =>
      methods.map(({ name }) => `${typeName}/${name}`),
    );
    for (const path of [...calls, "tickets"]) {
      for (const type of ["application/json", "application/connect+json", "application/grpc-web"]) {
        const answer = await fetch(`${at.url}${path}`, {
          method: "POST",
          headers: { ...replayed, "content-type": type, "sec-fetch-site": "same-origin" },
          body: "{}",
        });
        assert.equal(answer.status, 401, path);
      }
    }
    await fetch(`${at.url}sign-out`, { method: "POST", headers: replayed });
    assert.deepEqual(at.guest.asked, []);
    await at.page.reload();
    await at.page.getByRole("link", { name: "penguin" }).waitFor();
  });

  test("a new tab is signed in, and a page that has lost its key is not", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await at.signIn();
    const tab = await at.page.context().newPage();
    await tab.goto(at.url);
    await tab.getByRole("status").filter({ hasText: "Live" }).waitFor();
    await tab.evaluate("localStorage.clear()");
    await tab.reload();
    await tab.getByText("not signed in any more").waitFor();
    await at.page.getByText("not signed in any more").waitFor();
    await tab.goto(await at.signInUrl());
    await tab.getByRole("status").filter({ hasText: "Live" }).waitFor();
    await at.page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  });

  test("a browser that keeps nothing for pages is told what to do", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await at.page.addInitScript(
      "delete Object.getPrototypeOf(window).localStorage; delete window.localStorage",
    );
    await at.page.goto(await at.signInUrl());
    await at.page.getByText("Allow site data for it").waitFor();
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

/** A program on another port that remembers what the last browser sent to it. */
async function cookieThief() {
  let headers: IncomingHttpHeaders = {};
  const server = createServer((request, response) => {
    if (request.url === "/") headers = request.headers;
    response.setHeader("content-type", "text/html").end("<p>hello</p>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    get headers() {
      return headers;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
