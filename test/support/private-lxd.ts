import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "../../src/base/logger.ts";
import { Engine, type EngineAddress } from "../../src/engine/engine.ts";
import { instanceStatus } from "../../src/engine/instance.ts";
import { removeTraces } from "./remove-traces.ts";

/** An LXD of the test's own, with a pool and a profile to create containers with. Needs root. */
export interface PrivateLxd extends AsyncDisposable {
  /** Its LXD_DIR. */
  readonly folder: string;
  readonly address: EngineAddress & { kind: "unix" };
  /** The daemon's process id, while it runs. */
  readonly pid: number | undefined;
  /** A client of it, disposed by the caller before this. */
  connect(): Promise<Engine>;
  start(): Promise<void>;
  /** Ends the daemon and leaves its containers running. Default SIGTERM. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface PrivateLxdOptions {
  /** Driver of the pool `default`; `none` for an LXD as it is at its very first start. Default `dir`. */
  readonly pool?: "dir" | "btrfs" | "none";
}

/** Starts an LXD in a folder of its own. Disposing it removes all that it made: containers, mounts, folder. */
export async function privateLxd({ pool = "dir" }: PrivateLxdOptions = {}): Promise<PrivateLxd> {
  const folder = await mkdtemp("/var/tmp/tremplin-test-lxd-");
  const lxd = new Lxd(folder);
  try {
    await lxd.start();
    if (pool !== "none") await lxd.setUp(pool);
    return lxd;
  } catch (error) {
    await lxd[Symbol.asyncDispose]();
    throw error;
  }
}

class Lxd implements PrivateLxd {
  readonly folder: string;
  readonly address: EngineAddress & { kind: "unix" };
  #child: ChildProcess | undefined;

  constructor(folder: string) {
    this.folder = folder;
    this.address = { kind: "unix", path: join(folder, "unix.socket") };
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  connect(): Promise<Engine> {
    return Engine.connect(this.address, { log: silentLogger });
  }

  async start(): Promise<void> {
    const env = { ...process.env, LXD_DIR: this.folder };
    const output = openSync(join(this.folder, "lxd.out"), "a");
    const args = ["--group", "root", "--logfile", join(this.folder, "lxd.log")];
    const child = spawn("lxd", args, { env, stdio: ["ignore", output, output], detached: true });
    closeSync(output);
    this.#child = child;
    const waiting = spawn("lxd", ["waitready", "--timeout=60"], { env, stdio: "ignore" });
    const [code] = await Promise.race([once(waiting, "exit"), once(child, "exit")]);
    if (child.exitCode === null && code === 0) return;
    waiting.kill();
    throw new Error(`lxd did not start: ${await readFile(join(this.folder, "lxd.out"), "utf8")}`);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit", { signal: AbortSignal.timeout(30_000) });
  }

  async setUp(driver: string): Promise<void> {
    await using engine = await this.connect();
    const config = driver === "btrfs" ? { size: "2GiB" } : {};
    await engine.pools.create({ name: "default", driver, config });
    const root = { type: "disk", path: "/", pool: "default" };
    await engine.profiles.update("default", (profile) => ({ ...profile, devices: { root } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.#child || this.#child.exitCode !== null) await this.start();
      await this.#empty();
      await this.stop();
    } finally {
      await removeTraces(this.folder);
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  async #empty(): Promise<void> {
    await using engine = await this.connect();
    await empty(engine);
  }
}

async function empty(engine: Engine): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  for (const { name, status_code } of await engine.instances.list({ signal })) {
    if (status_code !== instanceStatus.stopped) {
      const stopping = await engine.instances.setState(name, { action: "stop", force: true, timeout: 20 });
      await stopping.wait({ signal });
    }
    await (await engine.instances.delete(name)).wait({ signal });
  }
  await engine.profiles.update("default", (profile) => ({ ...profile, devices: {} }), { signal });
  for (const { fingerprint } of await engine.images.list({ signal })) await engine.images.delete(fingerprint);
  for (const { name, managed } of await engine.networks.list({ signal })) {
    if (managed) await engine.networks.delete(name, { signal });
  }
  for (const { name } of await engine.pools.list({ signal })) await engine.pools.delete(name, { signal });
}
