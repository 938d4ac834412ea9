import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "../src/base/logger.ts";
import { parseIdMap } from "../src/daemon/guest/id-map.ts";
import { UserNamespace } from "../src/daemon/guest/user-namespace.ts";
import { Engine } from "../src/engine/engine.ts";
import { snapshotFolder } from "../src/engine/storage/local-paths.ts";
import type { TestDaemon } from "../test/support/daemon.ts";
import { exportContainer } from "../test/support/export-container.ts";
import { engineCommand } from "../test/support/in-container.ts";
import { benchContainers } from "./bench-containers.ts";
import { median, ms, printTable, ROUNDS, type Row, time } from "./measure.ts";

const SNAPSHOT = "by-hand";
const TAR = ["tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "-cf", "-", "."] as const;

/**
 * Prints how long an export takes, compared with the same files through the same pipeline by hand, through `gzip -6`,
 * and by the engine's own commands, alternating in one run. Each reads a fresh snapshot, of which nothing is in
 * memory. Needs root and LXD.
 */
export async function benchExport(): Promise<void> {
  await using bench = await benchContainers();
  for (const name of bench.containers) printTable(await measure(bench.daemon, name));
}

async function measure(daemon: TestDaemon, name: string): Promise<Row[]> {
  const path = (file: string): string => join(daemon.shared, file);
  const size = async (file: string): Promise<number> => (await stat(path(file))).size;
  const times = { ours: [], igzip: [], gzip: [], export: [], publish: [] } as Record<string, number[]>;
  const peaks: number[] = [];
  const rest = await memory(daemon.pid, "VmRSS");
  for (let round = 0; round < ROUNDS; round++) {
    // Forgets the peak so far.
    await writeFile(`/proc/${daemon.pid}/clear_refs`, "5");
    times.ours?.push(await time(() => exportContainer(daemon, name, "ours.tar.gz")));
    peaks.push(await memory(daemon.pid, "VmHWM"));
    times.igzip?.push(await byHand(daemon, name, `igzip -1 -c - > ${path("igzip.tar.gz")}`));
    times.gzip?.push(await byHand(daemon, name, `gzip -6 > ${path("gzip.tar.gz")}`));
    times.export?.push(
      await time(() => engineCommand(daemon, "export", name, path("engine.tar.gz"), "--instance-only")),
    );
    times.publish?.push(await publish(daemon, name, path("published")));
  }
  const larger = (await size("ours.tar.gz")) / (await size("gzip.tar.gz")) - 1;
  for (const file of ["ours", "igzip", "gzip", "engine", "published"]) await rm(path(`${file}.tar.gz`));
  const [ours, igzip, gzip, exported, published] = Object.values(times).map(median) as [number, ...number[]];
  const faster = (other = Number.NaN): string => `${(other / ours).toFixed(1)} x faster`;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  return [
    [`export of ${name}`, ms(ours), "", ""],
    ["... compared with tar | gzip -6 by hand", faster(gzip), ms(gzip), "at least 8 x"],
    ["... compared with lxc export", faster(exported), ms(exported), "at least 5 x"],
    ["... compared with lxc publish and image export", faster(published), ms(published), "at least 5 x"],
    [
      "... compared with tar | igzip by hand",
      `${(ours / (igzip ?? Number.NaN)).toFixed(2)} x`,
      ms(igzip),
      "1.4 x",
    ],
    ["... size compared with gzip -6", `${(larger * 100).toFixed(1)} % larger`, "", "8 %"],
    [
      "... peak memory of the daemon",
      `${mb(Math.max(...peaks) - rest)} more`,
      `${mb(rest)} at rest`,
      "40 MB",
    ],
  ];
}

/** The time of a pipeline that reads the tar of a fresh snapshot, in the same namespace as ours. */
async function byHand(daemon: TestDaemon, name: string, packer: string): Promise<number> {
  const address = { kind: "unix", path: join(daemon.folder, "state/lxd/unix.socket") } as const;
  await using engine = await Engine.connect(address, { log: silentLogger });
  await (await engine.snapshots.create(name, SNAPSHOT)).wait();
  const { value: instance } = await engine.instances.get(name);
  const folder = await snapshotFolder(engine, instance, SNAPSHOT);
  if (!folder) throw new Error("the snapshot is not there to be read by hand");
  await using namespace = await UserNamespace.open(
    parseIdMap(instance.expanded_config["volatile.last_state.idmap"] || "[]"),
  );
  const tar = namespace.command(...TAR).map((word) => `'${word}'`);
  const taken = await time(() => pipe(`${tar.join(" ")} | ${packer}`, join(folder, "rootfs")));
  await (await engine.snapshots.delete(name, SNAPSHOT)).wait();
  return taken;
}

async function pipe(line: string, cwd: string): Promise<void> {
  const shell = spawn("bash", ["-o", "pipefail", "-c", line], {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = await once(shell, "exit");
  if (code !== 0) throw new Error(`${line} ended with ${code}`);
}

async function publish(daemon: TestDaemon, name: string, path: string): Promise<number> {
  await engineCommand(daemon, "snapshot", name, SNAPSHOT);
  const taken = await time(
    () => engineCommand(daemon, "publish", `${name}/${SNAPSHOT}`, "--alias", "bench"),
    () => engineCommand(daemon, "image", "export", "bench", path),
  );
  await engineCommand(daemon, "image", "delete", "bench");
  await engineCommand(daemon, "delete", `${name}/${SNAPSHOT}`);
  return taken;
}

async function memory(pid: number, key: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]);
}
