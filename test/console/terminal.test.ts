import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../support/console-browser.ts";
import { eventually } from "../support/eventually.ts";

/** Opens the terminal of penguin, and waits for its prompt. */
async function openTerminal(at: ConsoleBrowser): Promise<void> {
  at.guest.containers.set("penguin", "running");
  await at.signIn();
  await at.show("#/container/vm/penguin");
  await at.page.getByRole("button", { name: "Terminal" }).click();
  await shows(at.page, "$");
}

const screen = (page: Page) => page.locator(".xterm-rows");

async function shows(page: Page, text: string | RegExp): Promise<void> {
  await screen(page).filter({ hasText: text }).waitFor();
}

async function says(page: Page, text: string | RegExp): Promise<void> {
  await page.locator(".terminal-foot").getByText(text).waitFor();
}

async function run(page: Page, command: string): Promise<void> {
  await page.getByRole("textbox", { name: /^Shell/ }).focus();
  await page.keyboard.type(command);
  await page.keyboard.press("Enter");
}

describe("the terminal of the console", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  test("a shell gets what is typed, in any script, and its exit code is shown", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await openTerminal(at);
    const { page, guest } = at;
    assert.deepEqual(
      guest.shells.map(({ containerName, command, asPrimaryUser }) => [
        containerName,
        command,
        asPrimaryUser,
      ]),
      [["penguin", [], true]],
    );
    // The focus is there already.
    await page.keyboard.type("grüße 日本 e\u0301");
    await page.keyboard.press("Tab");
    await eventually("it arrives", async () => guest.typed === "grüße 日本 e\u0301\t" || undefined);
    await shows(page, "grüße");
    await shows(page, "日本");
    await page.keyboard.press("Enter");
    await run(page, "exit 3");
    await says(page, "The shell ended with exit code 3.");
    await page.keyboard.type("nobody reads this");
    await page.getByRole("button", { name: "Start a new shell" }).click();
    await says(page, "Connected.");
    assert.ok(!guest.typed.includes("nobody"));
    await run(page, "exit 0");
    await says(page, "exit code 0");
    assert.deepEqual(at.complaints, []);
  });

  test("the first load is small, and the emulator comes only with a terminal", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    let bytes = 0;
    const scripts = new Set<string>();
    at.page.on("response", async (response) => {
      const { pathname } = new URL(response.url());
      if (!pathname.startsWith("/assets/")) return;
      scripts.add(pathname.replace(/-.*/, ""));
      bytes += Number(response.headers()["content-length"]);
    });
    at.guest.containers.set("penguin", "running");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    await at.page.getByRole("button", { name: "Terminal" }).waitFor();
    assert.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes`);
    assert.ok(!scripts.has("/assets/shells"));
    await at.show("#/terminal/vm/penguin");
    await shows(at.page, "$");
    assert.ok(scripts.has("/assets/shells"));
  });

  test("the program learns the size of the terminal, and each change of it", async (t) => {
    const at = await ConsoleBrowser.open(t, browser, { viewport: { width: 1280, height: 900 } });
    await openTerminal(at);
    const sizeOf = async (): Promise<[number, number]> => {
      await run(at.page, "size");
      await shows(at.page, /size\s*\d+x\d+\s*\$\s*$/);
      const [, columns, rows] = /(\d+)x(\d+)\s*\$\s*$/.exec(`${await screen(at.page).textContent()}`) ?? [];
      return [Number(columns), Number(rows)];
    };
    const [columns, rows] = await sizeOf();
    assert.ok(columns > 100 && rows > 15, `${columns} x ${rows}`);
    await at.page.setViewportSize({ width: 360, height: 740 });
    await eventually("it is smaller", async () => {
      const [now] = await sizeOf();
      return (now < 60 && now > 30) || undefined;
    });
    assert.equal(await at.page.evaluate("document.documentElement.scrollWidth"), 360);
  });

  test("what is pasted comes in brackets that it cannot end, and what is selected is copied", async (t) => {
    const at = await ConsoleBrowser.open(t, browser, { permissions: ["clipboard-read", "clipboard-write"] });
    await openTerminal(at);
    const { page, guest } = at;
    guest.programs.set("brackets", "\u001b[?2004h");
    await run(page, "brackets");
    await page.evaluate(
      `navigator.clipboard.writeText("echo 1\\u001b[201~\\u009b201~\\nrm x\\u0003\\u0008")`,
    );
    guest.typed = "";
    await page.keyboard.press("Control+Shift+V");
    const pasted = "\u001b[200~echo 1[201~201~\rrm x\u001b[201~";
    await eventually("it arrives", async () => guest.typed === pasted || undefined);
    guest.programs.set("words", "\r\n\u001b[38;2;200;0;0mseveral words\u001b[7m inverse\u001b[0m\r\n");
    await run(page, "\u0003words");
    await page.getByText("several words").first().waitFor();
    const colour = `getComputedStyle([...document.querySelectorAll(".xterm-rows span")]
      .find(({ textContent }) => textContent === "several words")).color`;
    assert.equal(await page.evaluate(colour), "rgb(200, 0, 0)");
    const line = await page.locator(".xterm-rows > div", { hasText: "several words" }).boundingBox();
    await page.mouse.dblclick((line?.x ?? 0) + 10, (line?.y ?? 0) + (line?.height ?? 0) / 2);
    await page.keyboard.press("Control+Shift+C");
    await eventually(
      "it is copied",
      async () => (await page.evaluate("navigator.clipboard.readText()")) === "several" || undefined,
    );
    assert.deepEqual(at.complaints, []);
  });

  test("a flood keeps the page usable and the memory bounded, and leaving ends the program", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await openTerminal(at);
    const { page, guest } = at;
    await run(page, "flood");
    await eventually("it flows", async () => guest.flooded > 2_000_000 || undefined);
    await page.keyboard.press("Control+F6");
    await page.getByRole("button", { name: "New shell" }).click();
    await page.getByRole("button", { name: "Shell 2", exact: true }).waitFor();
    await shows(page, "$");
    await run(page, "exit 5");
    await says(page, "exit code 5");
    await page.getByRole("link", { name: "Containers" }).click();
    await page.getByRole("link", { name: "penguin" }).click();
    await page.getByRole("button", { name: "Terminal" }).click();
    await page.getByRole("button", { name: "Shell 1", exact: true }).click();
    await page.getByRole("button", { name: "End this shell" }).click();
    await eventually("it has ended", async () => guest.shells.length === 0 || undefined);
  });

  test("a flood of marks, titles and links ends, and nothing of it acts by itself", async (t) => {
    const at = await ConsoleBrowser.open(t, browser, { permissions: ["clipboard-read", "clipboard-write"] });
    await openTerminal(at);
    const { page, guest } = at;
    await page.evaluate(`navigator.clipboard.writeText("mine")`);
    const link = (url: string) => `\u001b]8;;${url}\u0007here\u001b]8;;\u0007`;
    guest.programs.set(
      "evil",
      [
        "\u001b]0;evil title\u0007\u001b]2;evil title\u0007",
        `\u001b]52;c;${Buffer.from("evil").toString("base64")}\u0007\u001b]52;c;?\u0007\u001b[21t`,
        "\u0301".repeat(2_000_000),
        link(`http://evil.example/${"x".repeat(3_000)}`),
        `\r\n${link("javascript:document.title='evil'")}\r\n`,
        `${link("http://evil.example/\u202e")} the link\r\n`,
      ].join(""),
    );
    guest.typed = "";
    await run(page, "evil");
    await shows(page, "the link");
    assert.equal(await page.title(), "Terminal of penguin – Tremplin");
    assert.equal(await page.evaluate("navigator.clipboard.readText()"), "mine");
    assert.equal(guest.typed, "evil\r");
    assert.ok(`${await screen(page).textContent()}`.length < 10_000);
    const row = await page.locator(".xterm-rows > div", { hasText: "the link" }).boundingBox();
    const at1 = [(row?.x ?? 0) + 8, (row?.y ?? 0) + (row?.height ?? 0) / 2] as const;
    await page.mouse.move(...at1);
    await page.mouse.click(...at1);
    await page.getByRole("dialog").waitFor();
    await page.getByRole("dialog").getByText("http://evil.example/").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal(page.context().pages().length, 1);
    assert.deepEqual(at.complaints, []);
  });

  test("what is typed for a program that reads nothing is bounded, and the page goes on", async (t) => {
    const at = await ConsoleBrowser.open(t, browser, { permissions: ["clipboard-read", "clipboard-write"] });
    await openTerminal(at);
    const { page, guest } = at;
    await run(page, "deaf");
    await page.evaluate(`navigator.clipboard.writeText("x".repeat(3_000_000))`);
    for (let count = 0; count < 3; count++) await page.keyboard.press("Control+Shift+V");
    await page.keyboard.press("Control+Shift+Escape");
    await page.getByRole("button", { name: "End this shell" }).click();
    await page.getByRole("heading", { name: "No shell is open" }).waitFor();
    await eventually("it has ended", async () => guest.shells.length === 0 || undefined);
  });

  test("after the host was away a new shell starts, and says that the one before has ended", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await openTerminal(at);
    await run(at.page, "words");
    await at.stopHost();
    await says(at.page, /connection was lost.*The shell ended with it, and a new one starts/);
    await at.page.locator(".emulator.over").waitFor();
    await at.page.keyboard.type("lost");
    await at.startHost();
    await says(at.page, /Connected again\. This is a new shell/);
    await shows(at.page, /words.*─.*\$/);
    assert.ok(!at.guest.typed.includes("lost"));
    await at.guest.close();
    await says(at.page, /as soon as that is possible/);
    await at.guest.listen();
    await says(at.page, /Connected again/);
    assert.deepEqual(at.complaints, []);
  });

  test("there is no terminal in a container that is stopped, and the buttons say why", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    at.guest.containers.set("penguin", "stopped");
    await at.signIn();
    await at.show("#/container/vm/penguin");
    const reason = /penguin is not running; start it first/i;
    const button = at.page.getByRole("button", { name: "Terminal" });
    assert.match((await button.getAttribute("title")) ?? "", reason);
    await at.show("#/terminal/vm/penguin");
    await at.page.getByRole("main").getByText(reason).last().waitFor();
    assert.deepEqual(at.guest.shells, []);
    at.guest.containers.set("penguin", "running");
    await shows(at.page, "$");
    at.guest.containers.set("penguin", "stopped");
    await run(at.page, "exit 1");
    const again = at.page.getByRole("button", { name: "Start a new shell" });
    await eventually(
      "it is refused",
      async () => reason.test((await again.getAttribute("title")) ?? "") || undefined,
    );
  });

  test("signing out ends the shells of all tabs", async (t) => {
    const at = await ConsoleBrowser.open(t, browser);
    await openTerminal(at);
    const tab = await at.page.context().newPage();
    await tab.goto(at.url);
    await tab.getByRole("button", { name: "Sign out" }).click();
    await tab.getByText("not signed in").waitFor();
    await eventually("it has ended", async () => at.guest.shells.length === 0 || undefined);
    await at.page.getByText("not signed in").waitFor();
  });
});
