import { spawn } from "node:child_process";
import { open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "../src/engine/engine.ts";
import { startDaemon, type TestDaemon } from "../test/support/daemon.ts";
import { createDebian } from "../test/support/debian-container.ts";
import { engineOf } from "../test/support/engine-of.ts";
import { engineCommand } from "../test/support/in-container.ts";
import { imported } from "../test/support/tiny-backup.ts";
import { launch } from "../test/support/tiny-container.ts";

const ROUNDS = 5;

/**
 * Prints how long an import of a gzip backup of Debian takes beside the engine's own command line and beside the
 * same upload and creation without any check, alternating, and how much memory the daemon takes meanwhile. Needs
 * root and LXD.
 */
export async function benchImport(): Promise<void> {
  await using daemon = await startDaemon();
  await launch(daemon);
  await createDebian(daemon, "source");
  await using engine = await engineOf(daemon);
  const file = await exportByEngine(daemon, "source");
  await compareImports(daemon, engine, file);
}

/** The same for any backup in the shared folder. */
export async function compareImports(daemon: TestDaemon, engine: Engine, file: string): Promise<void> {
  const times = { ours: [] as number[], cli: [] as number[], unchecked: [] as number[] };
  const rest = await resident(daemon);
  let peak = 0;
  const ways: Record<keyof typeof times, (name: string) => Promise<void>> = {
    async ours(name) {
      const watching = new AbortController();
      const watched = (async () => {
        while (!watching.signal.aborted) {
          peak = Math.max(peak, await resident(daemon));
          await delay(20);
        }
      })();
      await imported(daemon, name, file);
      watching.abort();
      await watched;
    },
    async cli(name) {
      await engineCommand(daemon, "image", "import", file, "--alias", name);
      await engineCommand(daemon, "init", name, name);
      await engineCommand(daemon, "image", "delete", name);
    },
    unchecked: (name) => importUnchecked(engine, file, name),
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ["ours", "cli", "unchecked"] as const) {
      const name = `${way}-${round}`;
      const began = performance.now();
      await ways[way](name);
      times[way].push(performance.now() - began);
      await engineCommand(daemon, "delete", "--force", name);
    }
  }
  const [ours, cli, unchecked] = [median(times.ours), median(times.cli), median(times.unchecked)];
  const size = ((await stat(file)).size / 1e6).toFixed(0);
  print(`${size} MB of gzip`, `${seconds(ours)} (${spread(times.ours)})`);
  print(
    "the engine's command line",
    `${seconds(cli)} (${spread(times.cli)}): ${(cli / ours).toFixed(2)} x as long`,
  );
  print(
    "without checks",
    `${seconds(unchecked)}: the checks take ${((ours / unchecked - 1) * 100).toFixed(0)} %`,
  );
  print("memory of the daemon", `${rest.toFixed(0)} MB at rest, at most ${peak.toFixed(0)} MB meanwhile`);
}

/** What an import costs the engine at least: unpacked on the way in, made a container, image deleted. */
async function importUnchecked(engine: Engine, file: string, name: string): Promise<void> {
  await using packed = await open(file);
  const { stdout } = spawn("igzip", ["-dc"], { stdio: [packed.fd, "pipe", "inherit"] });
  if (!stdout) throw new Error("igzip did not start");
  const { fingerprint } = await engine.images.upload(`${name}.tar`, stdout);
  const source = { type: "image", fingerprint } as const;
  await (await engine.instances.create({ name, source })).wait();
  await engine.images.delete(fingerprint);
}

/** A backup by the engine's own means, in the shared folder. */
async function exportByEngine(daemon: TestDaemon, name: string): Promise<string> {
  await engineCommand(daemon, "publish", name, "--alias", "published");
  const path = join(daemon.shared, "backup");
  await engineCommand(daemon, "image", "export", "published", path);
  await engineCommand(daemon, "image", "delete", "published");
  await rename(`${path}.tar.gz`, path);
  return path;
}

async function resident({ pid }: TestDaemon): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

function spread(milliseconds: readonly number[]): string {
  return `${seconds(Math.min(...milliseconds))} to ${seconds(Math.max(...milliseconds))}`;
}

function print(what: string, value: string): void {
  console.log(`import: ${what.padEnd(30)} ${value}`);
}
