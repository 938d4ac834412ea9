import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { Host } from "../../src/contract/tremplin/v1/host_pb.js";
import { serveHost } from "../../src/host/serve-host.ts";
import { type Address, formatAddress } from "../../src/transport/address.ts";
import { dial } from "../../src/transport/client.ts";
import { MemoryGuest } from "./memory-guest.ts";

/** Debian's Chromium. Its sandbox does not work for root. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** A real host with a guest in memory, and a browser that is signed in to its console. */
export class ConsoleBrowser {
  readonly page: Page;
  readonly guest: MemoryGuest;
  readonly url: string;
  /** What the page logged as an error, and each request that went to another place than the console. */
  readonly complaints: string[] = [];
  /** Of the sockets: `vm.sock` is the guest. */
  readonly folder: string;
  readonly #name: string;
  readonly #port: number;
  #host: AsyncDisposable | undefined;

  private constructor(page: Page, guest: MemoryGuest, name: string, folder: string, port: number) {
    this.page = page;
    this.guest = guest;
    this.#name = name;
    this.folder = folder;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}/`;
    page.on("pageerror", ({ message }) => this.complaints.push(message));
    page.on("console", (message) => {
      if (/Content Security Policy|TypeError|ReferenceError/.test(message.text()))
        this.complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(this.url)) this.complaints.push(`request to ${request.url()}`);
    });
  }

  /** `t`: calls back at its end. `name`: of the guest. */
  static async open(
    t: { after(end: () => Promise<void>): void },
    browser: Browser,
    options: Parameters<Browser["newContext"]>[0] = {},
    name = "vm",
  ) {
    const folder = await mkdtemp(join(tmpdir(), "console-"));
    const guest = await MemoryGuest.open({ address: socket(folder, name), host: socket(folder, "listener") });
    const context: BrowserContext = await browser.newContext(options);
    const at = new ConsoleBrowser(await context.newPage(), guest, name, folder, await freePort());
    t.after(async () => {
      await context.close();
      await at.stopHost();
      await guest[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });
    await at.startHost();
    return at;
  }

  async startHost(): Promise<void> {
    const address = { kind: "tcp", host: "127.0.0.1", port: this.#port } as const;
    const options = {
      listen: [socket(this.folder, "host")],
      listeners: [{ address: socket(this.folder, "listener") }],
      guests: [{ name: this.#name, address: socket(this.folder, this.#name) }],
      console: { address, files: "dist/console", isOptional: false },
      state: join(this.folder, "state"),
      logLevel: "silent",
    };
    this.#host = await serveHost(options, systemClock, silentLogger);
  }

  /** Cuts all its connections off, as a kill does. */
  async stopHost(): Promise<void> {
    await this.#host?.[Symbol.asyncDispose]();
    this.#host = undefined;
  }

  async signInUrl(): Promise<string> {
    using connection = dial(socket(this.folder, "host"));
    return (await createClient(Host, connection.transport).createConsoleToken({})).signInUrl;
  }

  /** Adds a guest to the host, which ends with `stack`. */
  async addGuest(stack: AsyncDisposableStack, name: string): Promise<MemoryGuest> {
    const listener = socket(this.folder, `${name}-notices`);
    const guest = await MemoryGuest.open({ address: socket(this.folder, name), host: listener });
    stack.use(guest);
    using connection = dial(socket(this.folder, "host"));
    const addresses = {
      address: formatAddress(socket(this.folder, name)),
      listener: formatAddress(listener),
    };
    await createClient(Host, connection.transport).addGuest({ name, ...addresses });
    return guest;
  }

  /** Opens the console and waits until it shows the state of now. */
  async signIn(): Promise<void> {
    await this.page.goto(await this.signInUrl());
    await this.page.getByRole("status").filter({ hasText: "Live" }).waitFor();
  }

  /** Goes to one of the pages: `#/history`. */
  async show(hash: string): Promise<void> {
    await this.page.goto(`${this.url}${hash}`);
  }
}

function socket(folder: string, name: string): Address {
  return { kind: "unix", path: join(folder, `${name}.sock`) };
}

/** The host is started again on it. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
