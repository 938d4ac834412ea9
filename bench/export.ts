import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "../src/base/logger.ts";
import { UserNamespace } from "../src/daemon/backups/user-namespace.ts";
import { parseIdMap } from "../src/daemon/guest/id-map.ts";
import { Engine } from "../src/engine/engine.ts";
import { snapshotFolder } from "../src/engine/snapshot-folder.ts";
import type { TestDaemon } from "../test/support/daemon.ts";
import { exportContainer } from "../test/support/export-container.ts";
import { engineCommand } from "../test/support/in-container.ts";
import { benchContainers } from "./bench-containers.ts";
import { median, ms, printTable, type Row, time } from "./measure.ts";

const ROUNDS = Number(process.env.TREMPLIN_BENCH_ROUNDS ?? 5);
const BARE = "bare-pipeline";

/**
 * Prints how long an export takes, beside the same files through the same pipeline by hand, through `gzip -6`,
 * and by the engine's own commands, alternating in one run. Needs root and LXD.
 */
export async function benchExport(): Promise<void> {
  await using daemon = await benchContainers();
  for (const name of daemon.containers) printTable(await measure(daemon.daemon, name));
}

async function measure(daemon: TestDaemon, name: string): Promise<Row[]> {
  const path = (file: string): string => join(daemon.shared, file);
  const address = { kind: "unix", path: join(daemon.folder, "state/lxd/unix.socket") } as const;
  await using engine = await Engine.connect(address, { log: silentLogger });
  await (await engine.snapshots.create(name, BARE)).wait();
  const { value: instance } = await engine.instances.get(name);
  const folder = await snapshotFolder(address, instance, BARE);
  if (!folder) throw new Error("the snapshot is not there to be read by hand");
  const idMap = parseIdMap(instance.expanded_config["volatile.last_state.idmap"] || "[]");
  await using namespace = await UserNamespace.open(idMap);
  const byHand = (packer: string, file: string): Promise<number> => {
    const tar = namespace.command(
      "tar",
      "--numeric-owner",
      "--xattrs",
      "--xattrs-include=*",
      "--acls",
      "-cf",
      "-",
      ".",
    );
    return time(() =>
      pipe(`${tar.map((word) => `'${word}'`).join(" ")} | ${packer} > ${path(file)}`, join(folder, "rootfs")),
    );
  };
  const times = {
    ours: [] as number[],
    bare: [] as number[],
    gzip: [] as number[],
    export: [] as number[],
    publish: [] as number[],
  };
  const peaks: number[] = [];
  const rest = await resident(daemon.pid);
  for (let round = 0; round < ROUNDS; round++) {
    await forgetPeak(daemon.pid);
    times.ours.push(await time(() => exportContainer(daemon, name, "ours.tar.gz")));
    peaks.push(await peak(daemon.pid));
    times.bare.push(await byHand("igzip -1 -c -", "bare.tar.gz"));
    times.gzip.push(await byHand("gzip -6", "gzip.tar.gz"));
    times.export.push(
      await time(() => engineCommand(daemon, "export", name, path("engine.tar.gz"), "--instance-only")),
    );
    times.publish.push(
      await time(async () => {
        await engineCommand(daemon, "publish", `${name}/${BARE}`, "--alias", "bench");
        await engineCommand(daemon, "image", "export", "bench", path("published"));
      }),
    );
    await engineCommand(daemon, "image", "delete", "bench");
  }
  const sizes = {
    ours: (await stat(path("ours.tar.gz"))).size,
    gzip: (await stat(path("gzip.tar.gz"))).size,
  };
  for (const file of ["ours", "bare", "gzip", "engine", "published"])
    await rm(path(`${file}.tar.gz`), { force: true });
  const ours = median(times.ours);
  const against = (other: readonly number[]): string => `${(median(other) / ours).toFixed(1)} x faster`;
  return [
    [`export of ${name}`, ms(ours), "", ""],
    ["... beside tar | gzip -6", against(times.gzip), ms(median(times.gzip)), "at least 8 x"],
    ["... beside lxc export", against(times.export), ms(median(times.export)), "at least 5 x"],
    [
      "... beside lxc publish and image export",
      against(times.publish),
      ms(median(times.publish)),
      "at least 5 x",
    ],
    [
      "... beside tar | igzip by hand",
      `${(ours / median(times.bare)).toFixed(2)} x as long`,
      ms(median(times.bare)),
      "1.4 x",
    ],
    [
      "... size beside gzip -6",
      percent(sizes.ours / sizes.gzip - 1),
      `${(sizes.gzip / 1e6).toFixed(0)} MB`,
      "8 % larger",
    ],
    [
      "... peak memory above rest",
      `${((Math.max(...peaks) - rest) / 1e6).toFixed(0)} MB`,
      `${(rest / 1e6).toFixed(0)} MB at rest`,
      "40 MB",
    ],
  ];
}

async function pipe(line: string, cwd: string): Promise<void> {
  const shell = spawn("bash", ["-o", "pipefail", "-c", line], {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = await once(shell, "exit");
  if (code !== 0) throw new Error(`${line} ended with ${code}`);
}

async function resident(pid: number): Promise<number> {
  return memory(pid, "VmRSS");
}

async function peak(pid: number): Promise<number> {
  return memory(pid, "VmHWM");
}

async function memory(pid: number, key: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]);
}

async function forgetPeak(pid: number): Promise<void> {
  const { writeFile } = await import("node:fs/promises");
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
