import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import { Tremplin } from "../../src/contract/tremplin_pb.js";
import { generic } from "../../src/daemon/sites/generic.ts";
import { type Connection, dial } from "../../src/transport/client.ts";
import { freeNetwork } from "./free-network.ts";
import { keep } from "./keeper.ts";
import { RecordingListener } from "./listener.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { repository } from "./repository.ts";
import { testFolder } from "./test-run.ts";

export interface DaemonOptions {
  /** A site's name or file; without, `generic` whose containers stay stopped when the engine starts. */
  readonly site?: string;
  /** As the daemon's --engine; whichever is installed without. */
  readonly engine?: string;
  /** More words for the command line. */
  readonly args?: readonly string[];
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The network in which it runs with its engine; then the daemon chooses the subnet. */
  readonly namespace?: NetworkNamespace;
  /** What runs beside it, from before it starts until after it has ended. It is given the daemon's folder. */
  readonly beside?: (folder: string) => AsyncDisposable;
}

/**
 * Starts the built program `bin/tremplin daemon` with everything of its own: state, shared folder, bridge, subnet,
 * sockets, and a listener that hears its notices. Resolves when it has said that it is ready. Disposing ends
 * the daemon, its engine and its containers, and takes down all they left; so does the end of this process.
 */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await freeNetwork());
  const folder = await testFolder();
  stack.use(keep({ folder, bridge: network.bridge }));
  await mkdir(join(folder, "shared"));
  await writeFile(join(folder, "site.yaml"), JSON.stringify({ ...generic, autostart: "off" }));
  const listener = stack.use(await RecordingListener.open(join(folder, "host.sock")));
  if (options.beside) stack.use(options.beside(folder));
  const connection = stack.use(dial({ kind: "unix", path: join(folder, "guest.sock") }));
  const daemon = new TestDaemon({ folder, network, listener, connection, options, stack: stack.move() });
  try {
    await daemon.start();
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
  return daemon;
}

interface Parts {
  readonly folder: string;
  readonly network: { readonly bridge: string; readonly subnet: string; readonly addressPrefix: string };
  readonly listener: RecordingListener;
  readonly connection: Connection;
  readonly options: DaemonOptions;
  readonly stack: AsyncDisposableStack;
}

/** A daemon in a process of its own, with what a test needs to speak to it. */
export class TestDaemon implements AsyncDisposable {
  /** Everything of this daemon is below it. */
  readonly folder: string;
  /** The folder that both sides see: tarballs to create from, exports, imports. */
  readonly shared: string;
  readonly bridge: string;
  /** The bridge's own address with its prefix length. */
  readonly subnet: string;
  /** How the addresses of its containers begin. */
  readonly addressPrefix: string;
  readonly listener: RecordingListener;
  readonly connection: Connection;
  readonly tremplin: Client<typeof Tremplin>;
  readonly guest: Client<typeof Guest>;
  readonly #parts: Parts;
  #process: ChildProcess | undefined;
  #exited: Promise<number | NodeJS.Signals> = Promise.resolve(0);

  constructor(parts: Parts) {
    this.#parts = parts;
    this.folder = parts.folder;
    this.shared = join(parts.folder, "shared");
    this.bridge = parts.network.bridge;
    this.subnet = parts.network.subnet;
    this.addressPrefix = parts.network.addressPrefix;
    this.listener = parts.listener;
    this.connection = parts.connection;
    this.tremplin = createClient(Tremplin, parts.connection.transport);
    this.guest = createClient(Guest, parts.connection.transport);
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error("the daemon was not started");
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return (
      this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    );
  }

  /** The exit code, or the signal that ended it. */
  get exited(): Promise<number | NodeJS.Signals> {
    return this.#exited;
  }

  /** Starts it, when it does not run, and waits until it has told the host that it is ready. */
  async start(): Promise<void> {
    await this.launch();
    const died = this.#exited.then(async (end) => {
      throw new Error(`the daemon ended with ${end} before it was ready:\n${await this.log()}`);
    });
    await Promise.race([this.listener.final("ready", "", 120_000), died]);
  }

  /** Starts it without waiting for anything. */
  async launch(): Promise<void> {
    const { folder, options, network } = this.#parts;
    const flags: Record<string, string | undefined> = {
      listen: `unix:${folder}/guest.sock`,
      host: `unix:${folder}/host.sock`,
      state: join(folder, "state"),
      shared: this.shared,
      bridge: network.bridge,
      "lxd-subnet": options.namespace ? undefined : network.subnet,
      site: options.site ?? join(folder, "site.yaml"),
      engine: options.engine,
      "log-level": "debug",
    };
    const words = Object.entries(flags).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    );
    await using log = await open(join(folder, "daemon.log"), "a");
    const program = join(repository, "bin/tremplin");
    const command = [program, "daemon", ...words, ...(options.args ?? [])];
    const [first = "", ...rest] = [...(options.namespace?.prefix ?? []), ...command];
    const child = spawn(first, rest, {
      stdio: ["ignore", log.fd, log.fd],
      env: { ...process.env, ...options.env },
    });
    this.#process = child;
    this.#exited = once(child, "exit").then(([code, signal]) => code ?? signal);
    await once(child, "spawn");
  }

  /** Kills the daemon alone, as a crash would; engine and containers go on. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#exited;
  }

  /** Asks the daemon to end, with SIGTERM unless told otherwise, and gives how it did. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | NodeJS.Signals> {
    this.#process?.kill(signal);
    return await this.#exited;
  }

  /** Kills it, starts it again and waits until it is ready. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** All that it has written. */
  log(): Promise<string> {
    return readFile(join(this.folder, "daemon.log"), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#parts.stack.disposeAsync();
  }
}
