import type { Browser } from "playwright-core";
import { ConsoleBrowser, launchBrowser } from "../test/support/console-browser.ts";
import { median, ms, printTable, ROUNDS, type Row } from "./measure.ts";

const CONTAINERS = 500;
const SECONDS = 10;

/** Measures the pages of the console with a guest in memory, and prints one table. */
export async function benchConsole(): Promise<void> {
  const browser = await launchBrowser();
  try {
    printTable([...(await firstLoad(browser)), ...(await longList(browser))]);
  } finally {
    await browser.close();
  }
}

/** Of a browser that has nothing of the page yet. */
async function firstLoad(browser: Browser): Promise<Row[]> {
  const [sizes, paints]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const [bytes, paint] = await load(browser);
    sizes.push(bytes);
    paints.push(paint);
  }
  return [
    ["first load of the console", `${(median(sizes) / 1000).toFixed(0)} KB`, "", "150 KB"],
    ["first paint", ms(median(paints)), "", "300 ms"],
  ];
}

async function load(browser: Browser): Promise<[bytes: number, paint: number]> {
  await using stack = new AsyncDisposableStack();
  const at = await open(stack, browser, 5);
  await at.signIn();
  // The page that follows a sign-in is the same; this one is not asked for by another.
  const session = await at.page.context().newCDPSession(at.page);
  await session.send("Network.clearBrowserCache");
  await at.page.goto(at.url);
  await at.page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  return (await at.page.evaluate(`[
    performance.getEntries()
      .filter(({ entryType, name }) => entryType === "navigation" || /assets/.test(name))
      .reduce((sum, { transferSize }) => sum + transferSize, 0),
    performance.getEntriesByName("first-contentful-paint")[0].startTime,
  ]`)) as [number, number];
}

async function longList(browser: Browser): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const at = await open(stack, browser, CONTAINERS);
  await at.signIn();
  await at.page
    .getByRole("link", { name: `web-${CONTAINERS - 1}`, exact: true })
    .waitFor({ state: "attached" });
  const { nodes, frames, late, longest, longTasks } = await watchFrames(at);
  return [
    [`${CONTAINERS} containers: elements`, `${nodes}`, "", ""],
    ["... frames while it is scrolled", `${frames}`, `in ${SECONDS} s`, ""],
    ["... of them later than two frames", `${late}`, `the latest after ${ms(longest)}`, "0"],
    ["... tasks over 50 ms", `${longTasks}`, "", "0"],
  ];
}

interface Frames {
  readonly nodes: number;
  readonly frames: number;
  readonly late: number;
  readonly longest: number;
  readonly longTasks: number;
}

/** Scrolls all the time, while the page is updated. */
async function watchFrames(at: ConsoleBrowser): Promise<Frames> {
  return (await at.page.evaluate(`new Promise((resolve) => {
    let longTasks = 0;
    new PerformanceObserver((list) => { longTasks += list.getEntries().length; }).observe({ entryTypes: ["longtask"] });
    const times = [];
    const began = performance.now();
    const step = (now) => {
      times.push(now);
      scrollTo(0, (scrollY + 40) % (document.documentElement.scrollHeight - innerHeight));
      if (now - began < ${SECONDS * 1000}) return requestAnimationFrame(step);
      const gaps = times.slice(1).map((time, index) => time - times[index]);
      resolve({
        nodes: document.querySelectorAll("*").length,
        frames: times.length,
        late: gaps.filter((gap) => gap > 34).length,
        longest: Math.max(...gaps),
        longTasks,
      });
    };
    requestAnimationFrame(step);
  })`)) as Frames;
}

async function open(
  stack: AsyncDisposableStack,
  browser: Browser,
  containers: number,
): Promise<ConsoleBrowser> {
  const at = await ConsoleBrowser.open({ after: (end) => stack.defer(end) }, browser);
  for (let index = 0; index < containers; index++) at.guest.containers.set(`web-${index}`, "running");
  return at;
}
