// Takes pictures of the console with guests in memory: that in docs/console.md, or, where a folder is given, every page at three
// widths, light and dark, to look at.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../support/console-browser.ts";
import { openExample } from "../support/console-example.ts";

const [folder] = process.argv.slice(2);
const pages = {
  containers: "#/",
  container: "#/container/local/penguin",
  create: "#/create/local",
  import: "#/restore/local",
  guests: "#/guests",
  guest: "#/guest/local",
  "add-guest": "#/add-guest",
  debug: "#/debug/local",
  log: "#/log/local/penguin",
  history: "#/history",
  missing: "#/container/local/gone",
} as const;
const sizes = [
  { width: 360, height: 740 },
  { width: 1280, height: 800 },
  { width: 3840, height: 2160 },
] as const;

const browser = await launchBrowser();
try {
  if (folder === undefined) await pictureOfTheReadme(browser);
  else await allPictures(browser, folder);
} finally {
  await browser.close();
}

async function pictureOfTheReadme(launched: Browser): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const viewport = { width: 1120, height: 700 };
  const at = await openExample(stack, launched, { viewport, deviceScaleFactor: 1.5 });
  await at.page.screenshot({ path: join("docs", "console.png"), fullPage: true });
}

async function allPictures(launched: Browser, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) await picturesIn(launched, colorScheme, target);
}

async function picturesIn(launched: Browser, colorScheme: "light" | "dark", target: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const at = await openExample(stack, launched, { colorScheme });
  for (const [name, hash] of Object.entries(pages)) {
    await at.show(hash);
    await at.page.getByRole("heading").first().waitFor();
    await at.page.getByText(/…$/).first().waitFor({ state: "detached" });
    for (const viewport of sizes) {
      await at.page.setViewportSize(viewport);
      const path = join(target, `${name}-${viewport.width}-${colorScheme}.png`);
      await at.page.screenshot({ path, fullPage: viewport.width < 3840 });
    }
  }
}
