import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { ConnectRouter } from "@connectrpc/connect";
import { type Clock, systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { PAGE_KEY } from "../../src/base/page-key.ts";
import { type RunningConsole, serveConsole } from "../../src/host/console/serve-console.ts";
import type { OpenShell } from "../../src/host/console/terminal/open-shell.ts";
import { Exchanges } from "../../src/host/console/transfers/exchanges.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A console with two small files, and an HTTP client that sends what it is given. */
export interface ConsoleFixture {
  readonly console: RunningConsole;
  /** The URLs of files that it serves. */
  readonly exchanges: Exchanges;
  /** Serves the console again, as a host that was started again would. `meanwhile`: gets its state folder. */
  restart(meanwhile?: (state: string) => Promise<void>): Promise<void>;
  ask(
    path: string,
    options?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<Answer>;
  /** Signs in, and returns the headers that show it: the cookie and the key of the page. */
  signIn(): Promise<{ readonly cookie: string; readonly [PAGE_KEY]: string }>;
}

export async function consoleFixture(
  t: TestContext,
  {
    routes = () => undefined,
    openShell = noShell,
    clock = systemClock,
  }: { routes?: (router: ConnectRouter) => void; openShell?: OpenShell; clock?: Clock } = {},
): Promise<ConsoleFixture> {
  const folder = await mkdtemp(join(tmpdir(), "console-"));
  const [files, state] = [join(folder, "files"), join(folder, "state")];
  await mkdir(state);
  await writeConsoleFiles(files, {
    "index.html": "<title>Console</title>",
    "assets/style-1.css": "a{}",
    "assets/sign-in-1.js": "0;",
    "assets/x-1.js": "1;",
  });
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const exchanges = new Exchanges(clock);
  const common = { address, files, state, routes, exchanges, openShell, clock, log: silentLogger };
  const serveIt = () => serveConsole(common);
  let running = await serveIt();
  t.after(async () => {
    await running[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const ask: ConsoleFixture["ask"] = (path, options) => askHttp(running.url as string, path, options);
  return {
    get console() {
      return running;
    },
    exchanges,
    async restart(meanwhile) {
      await running[Symbol.asyncDispose]();
      await meanwhile?.(state);
      running = await serveIt();
    },
    ask,
    async signIn() {
      const { pathname, search } = new URL(running.createSignIn().signInUrl);
      const { headers, body } = await ask(`${pathname}${search}`);
      const cookie = headers["set-cookie"]?.[0]?.split(";")[0] as string;
      return { cookie, [PAGE_KEY]: pageKeyIn(body) };
    },
  };
}

const noShell: OpenShell = () => {
  throw new Error("this test has no shell");
};

/** The key that a page brings to the browser. */
export function pageKeyIn(page: Buffer): string {
  return new RegExp(`<meta name="${PAGE_KEY}" content="([^"]*)">`).exec(page.toString())?.[1] ?? "";
}

/** Writes files as scripts/build-console.mjs does. */
export async function writeConsoleFiles(
  folder: string,
  contents: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(join(folder, "assets"), { recursive: true });
  for (const [name, content] of Object.entries(contents)) {
    await writeFile(join(folder, name), content);
    await writeFile(join(folder, `${name}.gz`), gzipSync(content));
    await writeFile(join(folder, `${name}.br`), brotliCompressSync(content));
  }
}

/** `path` is sent as it is, which fetch would not do. */
async function askHttp(
  url: string,
  path: string,
  {
    method = "GET",
    headers = {},
    body = "",
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request({ hostname, port, path, method, headers, agent: false }, async (response) => {
    const chunks: Buffer[] = await response.toArray();
    resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
  });
  asked.once("error", reject);
  asked.end(body);
  return await promise;
}
