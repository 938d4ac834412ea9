import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "../../src/base/logger.ts";
import { Engine, type EngineAddress } from "../../src/engine/engine.ts";
import type { EngineKind } from "../../src/engine/flavors/flavors.ts";
import { type FreeNetwork, freeNetwork } from "./free-network.ts";
import { keep } from "./keeper.ts";
import { testFolder } from "./test-run.ts";

/** How each engine is started and asked; LXD unless TREMPLIN_TEST_ENGINE says incus. */
const kinds = {
  lxd: { daemon: "lxd", folder: "LXD_DIR", wait: ["lxd", "waitready"], cli: "lxc" },
  incus: { daemon: "incusd", folder: "INCUS_DIR", wait: ["incus", "admin", "waitready"], cli: "incus" },
} as const;

export interface PrivateLxdOptions {
  /** Driver of the pool `default`; `none` for an LXD as it is at its very first start. Default `dir`. */
  readonly pool?: "dir" | "btrfs" | "none";
}

/**
 * Starts an LXD of the test's own, with a pool and a profile to create containers with. Needs root. Disposing
 * ends it and its containers and takes down all they left; so does the end of this process.
 */
export async function privateLxd({ pool = "dir" }: PrivateLxdOptions = {}): Promise<PrivateLxd> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await freeNetwork());
  const folder = await testFolder();
  stack.use(keep({ folder, bridge: network.bridge }));
  const lxd = new PrivateLxd(folder, network, stack.move());
  try {
    await lxd.start();
    if (pool !== "none") await lxd.addPool(pool);
    return lxd;
  } catch (error) {
    await lxd[Symbol.asyncDispose]();
    throw error;
  }
}

export class PrivateLxd implements AsyncDisposable {
  readonly kind: EngineKind = process.env.TREMPLIN_TEST_ENGINE === "incus" ? "incus" : "lxd";
  /** Its LXD_DIR. */
  readonly folder: string;
  readonly address: EngineAddress & { readonly kind: "unix" };
  /** Free to be made and used; there is no network to begin with. */
  readonly network: Pick<FreeNetwork, "bridge" | "subnet" | "addressPrefix">;
  readonly #resources: AsyncDisposable;
  #child: ChildProcess | undefined;

  constructor(folder: string, network: FreeNetwork, resources: AsyncDisposable) {
    this.folder = folder;
    this.address = { kind: "unix", path: join(folder, "unix.socket") };
    this.network = network;
    this.#resources = resources;
  }

  /** The daemon's process id, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** A client of it, disposed by the caller. */
  connect(): Promise<Engine> {
    return Engine.connect(this.address, { log: silentLogger });
  }

  /** Starts the daemon and waits until it is ready. */
  async start(): Promise<void> {
    const { daemon, wait } = kinds[this.kind];
    const env = this.#environment();
    const output = openSync(join(this.folder, "lxd.out"), "a");
    const args = ["--group", "root", "--logfile", join(this.folder, "lxd.log")];
    const child = spawn(daemon, args, { env, stdio: ["ignore", output, output], detached: true });
    closeSync(output);
    this.#child = child;
    const [program, ...words] = wait;
    const waiting = spawn(program, [...words, "--timeout=60"], { env, stdio: "ignore" });
    const [code] = await Promise.race([once(waiting, "exit"), once(child, "exit")]);
    if (child.exitCode === null && code === 0) return;
    waiting.kill();
    throw new Error(`${daemon} did not start: ${await readFile(join(this.folder, "lxd.out"), "utf8")}`);
  }

  /** Ends the daemon, by default so that its containers go on running, and waits until it has ended. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit", { signal: AbortSignal.timeout(30_000) });
  }

  /** Runs the engine's own command line, without letting anything else of this program run meanwhile. */
  cliSync(...args: string[]): string {
    const { cli } = kinds[this.kind];
    return execFileSync(cli, args, { env: this.#environment(), encoding: "utf8" });
  }

  async addPool(driver: "dir" | "btrfs"): Promise<void> {
    await using engine = await this.connect();
    const config = driver === "btrfs" ? { size: "2GiB" } : {};
    await engine.pools.create({ name: "default", driver, config });
    const root = { type: "disk", path: "/", pool: "default" };
    await engine.profiles.update("default", (profile) => ({ ...profile, devices: { root } }));
  }

  #environment(): NodeJS.ProcessEnv {
    // Debian keeps incusd out of the way, and would have Incus fetch a list of instance types at each start.
    const PATH = `/usr/libexec/incus:${process.env.PATH}`;
    const extra = { INCUS_SKIP_INSTANCE_TYPES: "true", INCUS_CONF: join(this.folder, "client") };
    return { ...process.env, ...extra, PATH, [kinds[this.kind].folder]: this.folder };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }
}
