import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseIdMap, toHostId } from "../src/daemon/guest/id-map.ts";
import { UserNamespace } from "../src/daemon/guest/user-namespace.ts";
import type { Engine } from "../src/engine/engine.ts";
import { instanceFolder } from "../src/engine/storage/local-paths.ts";
import type { TestDaemon } from "../test/support/daemon.ts";
import { engineOf } from "../test/support/engine-of.ts";
import { exportContainer } from "../test/support/export-container.ts";
import { engineCommand } from "../test/support/in-container.ts";
import { imported } from "../test/support/tiny-backup.ts";
import { benchContainers } from "./bench-containers.ts";
import { median, ms, printTable, ROUNDS, type Row, time } from "./measure.ts";

/**
 * Prints how long an import takes relative to the engine's own command line and to bare unpacking into a
 * container, without any check, alternating, and how much memory the daemon takes meanwhile. Needs root and LXD.
 */
export async function benchImport(): Promise<void> {
  await using bench = await benchContainers();
  await using engine = await engineOf(bench.daemon);
  for (const name of bench.containers) printTable(await measure(bench.daemon, engine, name));
}

async function measure(daemon: TestDaemon, engine: Engine, source: string): Promise<Row[]> {
  const file = `${source}.tar.gz`;
  await exportContainer(daemon, source, file);
  const path = join(daemon.shared, file);
  const fileWithNodes = `${source}-nodes.tar.gz`;
  await addNodes(path, join(daemon.shared, fileWithNodes));
  const rest = await resident(daemon);
  let peak = 0;
  const ways: Record<string, (name: string) => Promise<void>> = {
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
    nodes: (name) => imported(daemon, name, fileWithNodes),
    async cli(name) {
      await engineCommand(daemon, "image", "import", path, "--alias", name);
      await engineCommand(daemon, "init", name, name);
    },
    bare: (name) => unpackUnchecked(engine, path, name),
  };
  const times: Record<string, number[]> = { ours: [], nodes: [], cli: [], bare: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [way, act] of Object.entries(ways)) {
      const name = `${way}-${source}`;
      times[way]?.push(await time(() => act(name)));
      await engineCommand(daemon, "delete", "--force", name);
      if (way === "cli") await engineCommand(daemon, "image", "delete", name);
    }
  }
  const [ours, nodes, cli, bare] = Object.values(times).map(median) as [number, number, number, number];
  return [
    [`import of ${source}`, ms(ours), "", ""],
    [
      "... compared with the engine's command line",
      `${(cli / ours).toFixed(2)} x faster`,
      ms(cli),
      "at least 1.25 x",
    ],
    [
      "... of one with a /dev of debootstrap",
      `${(cli / nodes).toFixed(2)} x faster`,
      ms(cli),
      "at least 1.25 x",
    ],
    ["... compared with bare unpacking", `${(ours / bare).toFixed(2)} x`, ms(bare), ""],
    [
      "... memory of the daemon",
      `${(peak - rest).toFixed(0)} MB more`,
      `${rest.toFixed(0)} MB at rest`,
      "40 MB",
    ],
  ];
}

/** The device nodes that debootstrap makes. */
const NODES = {
  null: "1 3",
  zero: "1 5",
  full: "1 7",
  random: "1 8",
  urandom: "1 9",
  tty: "5 0",
  console: "5 1",
  ptmx: "5 2",
};

/** Copies a backup and adds device nodes at its end. */
async function addNodes(from: string, to: string): Promise<void> {
  const make = Object.entries(NODES).map(([name, numbers]) => `mknod -m 666 rootfs/dev/${name} c ${numbers}`);
  const script = `set -e; cd "$(mktemp -d)"; gzip -dc '${from}' > plain.tar; mkdir -p rootfs/dev
    ${make.join("\n")}
    tar --append --numeric-owner --file plain.tar rootfs/dev/*; igzip -1 -c plain.tar > '${to}'; rm -r "$PWD"`;
  const child = spawn("bash", ["-c", script], { stdio: "inherit" });
  assert.deepEqual(await once(child, "exit"), [0, null]);
}

/** The bare work: an empty container of the engine, and the archive unpacked into it by its root. */
async function unpackUnchecked(engine: Engine, path: string, name: string): Promise<void> {
  await (await engine.instances.create({ name, source: { type: "none" } })).wait();
  const { value } = await engine.instances.get(name);
  const idMap = parseIdMap(value.config["volatile.idmap.next"] ?? "[]");
  const folder = join((await instanceFolder(engine, value)) ?? "", "unpacked");
  await mkdir(folder);
  await chown(folder, toHostId(idMap, "uid", 0) ?? 0, toHostId(idMap, "gid", 0) ?? 0);
  await using namespace = await UserNamespace.open(idMap);
  const options = "--same-permissions --numeric-owner --xattrs '--xattrs-include=*' --acls";
  const pipe = `igzip -dc | tar -xf - ${options}`;
  const command = namespace.command("sh", "-c", pipe);
  await using file = await open(path);
  const child = spawn(command[0], command.slice(1), { cwd: folder, stdio: [file.fd, "inherit", "inherit"] });
  assert.deepEqual(await once(child, "exit"), [0, null]);
}

async function resident({ pid }: TestDaemon): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
}
