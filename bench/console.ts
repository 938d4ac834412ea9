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

/** Beside a list of five, since a busy machine is late with any page. */
async function longList(browser: Browser): Promise<Row[]> {
  const few = await list(browser, 5);
  const many = await list(browser, CONTAINERS);
  return [
    [`${CONTAINERS} containers: elements`, `${many.nodes}`, `${few.nodes} with 5 containers`, ""],
    ["... processor time of the page while it is scrolled", share(many), share(few), "100 %"],
    [`... frames in ${SECONDS} s`, `${many.frames}`, `${few.frames}`, ""],
    ["... of them later than two frames", `${many.late}`, `${few.late}`, "0"],
    ["... the latest", ms(many.longest), ms(few.longest), "34 ms"],
  ];
}

function share({ seconds }: Frames): string {
  return `${((seconds / SECONDS) * 100).toFixed(0)} %`;
}

async function list(browser: Browser, containers: number): Promise<Frames> {
  await using stack = new AsyncDisposableStack();
  const at = await open(stack, browser, containers);
  await at.signIn();
  await at.page
    .getByRole("link", { name: `web-${containers - 1}`, exact: true })
    .waitFor({ state: "attached" });
  const session = await at.page.context().newCDPSession(at.page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const busy = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  };
  const before = await busy();
  const frames = await watchFrames(at);
  return { ...frames, seconds: (await busy()) - before };
}

interface Frames {
  readonly nodes: number;
  readonly frames: number;
  readonly late: number;
  readonly longest: number;
  /** Of a processor, for all that the page did. */
  readonly seconds: number;
}

/** Scrolls all the time, while the page is updated. */
async function watchFrames(at: ConsoleBrowser): Promise<Omit<Frames, "seconds">> {
  return (await at.page.evaluate(`new Promise((resolve) => {
    const times = [];
    const began = performance.now();
    const step = (now) => {
      times.push(now);
      scrollTo(0, (scrollY + 40) % Math.max(1, document.documentElement.scrollHeight - innerHeight));
      if (now - began < ${SECONDS * 1000}) return requestAnimationFrame(step);
      const gaps = times.slice(1).map((time, index) => time - times[index]);
      resolve({
        nodes: document.querySelectorAll("*").length,
        frames: times.length,
        late: gaps.filter((gap) => gap > 34).length,
        longest: Math.max(...gaps),
      });
    };
    requestAnimationFrame(step);
  })`)) as Omit<Frames, "seconds">;
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
