import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Clock, systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { TremplinError } from "../../src/base/tremplin-error.ts";
import type { Io } from "../../src/cli/io.ts";
import { run } from "../../src/cli/program.ts";
import { StatusLine } from "../../src/cli/progress/status-line.ts";
import type { ConsoleOptions } from "../../src/host/options.ts";
import { type RunningHost, serveHost } from "../../src/host/serve-host.ts";
import type { Address, TcpAddress } from "../../src/transport/address.ts";
import { formatAddress } from "../../src/transport/address.ts";
import { writeConsoleFiles } from "./console-fixture.ts";
import { MemoryGuest } from "./memory-guest.ts";

/** An Io that writes into strings and answers questions from a list. */
export class RecordedIo implements Io {
  readonly clock: Clock;
  readonly columns: number | undefined;
  readonly terminal: Io["terminal"];
  readonly #interrupt = new AbortController();
  readonly interrupted = this.#interrupt.signal;
  readonly answers: string[] = [];
  readonly questions: string[] = [];
  stdout = "";
  stderr = "";
  #watchers: { readonly pattern: RegExp; readonly resolve: () => void }[] = [];

  constructor({ clock = systemClock, columns }: { clock?: Clock; columns?: number } = {}) {
    this.clock = clock;
    this.columns = columns;
    const write = (text: string) => this.#write(text);
    const screen = { columns: columns ?? 80, rows: 24, reflows: true, write };
    this.terminal = columns === undefined ? undefined : new StatusLine(screen);
  }

  out(text: string): void {
    this.#print(text, () => {
      this.stdout += text;
    });
  }

  err(text: string): void {
    this.#print(text, () => {
      this.stderr += text;
    });
  }

  ask(question: string): Promise<string | undefined> {
    this.questions.push(question);
    return Promise.resolve(this.answers.shift());
  }

  ctrlC(): void {
    this.#interrupt.abort(new TremplinError("cancelled", "interrupted"));
  }

  /** Resolves once something like this was written, to either. */
  written(pattern: RegExp): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watchers.push({ pattern, resolve });
    this.#look();
    return promise;
  }

  #write(text: string): void {
    this.stderr += text;
    this.#look();
  }

  #print(text: string, print: () => void): void {
    if (this.terminal) this.terminal.above(text, print);
    else print();
    this.#look();
  }

  #look(): void {
    this.#watchers = this.#watchers.filter(({ pattern, resolve }) => {
      if (!pattern.test(this.stdout) && !pattern.test(this.stderr)) return true;
      resolve();
      return false;
    });
  }
}

/** A host with one guest in memory, and a command line that talks to them. */
export class CommandLineFixture implements AsyncDisposable {
  readonly folder: string;
  readonly guest: MemoryGuest;
  readonly hostAddress: Address;
  #host: RunningHost | undefined;

  private constructor(folder: string, guest: MemoryGuest, hostAddress: Address) {
    this.folder = folder;
    this.guest = guest;
    this.hostAddress = hostAddress;
  }

  static async open(t: TestContext, unchanged = false): Promise<CommandLineFixture> {
    const folder = await mkdtemp(join(tmpdir(), "cli-"));
    const host: Address = { kind: "unix", path: join(folder, "host.sock") };
    const listener: Address = { kind: "unix", path: join(folder, "listener.sock") };
    const address: Address = { kind: "unix", path: join(folder, "vm.sock") };
    const place = new CommandLineFixture(
      folder,
      await MemoryGuest.open({ address, host: listener, unchanged }),
      host,
    );
    await place.openHost();
    t.after(() => place[Symbol.asyncDispose]());
    return place;
  }

  /** Starts the host again, with a console that has no files but its first page. */
  async reopenHost(console: Omit<ConsoleOptions, "files" | "address"> & { address: TcpAddress | undefined }) {
    await this.closeHost();
    const files = join(this.folder, "console");
    await writeConsoleFiles(files, { "index.html": "<title>Console</title>" });
    await this.openHost({ ...console, address: console.address as TcpAddress, files });
  }

  async openHost(console?: ConsoleOptions): Promise<void> {
    const guests = [{ name: "vm", address: { kind: "unix" as const, path: join(this.folder, "vm.sock") } }];
    const options = {
      listen: [this.hostAddress],
      listeners: [{ address: { kind: "unix" as const, path: join(this.folder, "listener.sock") } }],
      guests,
      state: join(this.folder, "log"),
      console,
      logLevel: "silent",
    };
    this.#host = await serveHost(options, systemClock, silentLogger);
  }

  get host(): RunningHost {
    if (!this.#host) throw new Error("there is no host now");
    return this.#host;
  }

  async closeHost(): Promise<void> {
    await this.#host?.[Symbol.asyncDispose]();
    this.#host = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guest[Symbol.asyncDispose]();
    await this.closeHost();
    await rm(this.folder, { recursive: true });
  }

  /** Runs a command against this host. Answers its exit code. */
  run(line: string, io = new RecordedIo()): Promise<number> {
    return run([...line.split(" "), "--host", formatAddress(this.hostAddress)], io);
  }

  /** Runs a command and answers all that it printed. */
  async output(
    line: string,
    io = new RecordedIo(),
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const code = await this.run(line, io);
    return { code, stdout: io.stdout, stderr: io.stderr };
  }
}
