import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { silentLogger } from "../src/base/logger.ts";
import { Engine } from "../src/engine/engine.ts";
import { startDaemon, type TestDaemon } from "../test/support/daemon.ts";
import { createTiny, launch, shareTinyImage, startContainer } from "../test/support/tiny-container.ts";
import { benchConsole } from "./console.ts";
import { benchCopies } from "./copies.ts";
import { benchExport } from "./export.ts";
import { benchForwards } from "./forwards.ts";
import { benchImport } from "./import.ts";
import { benchListeningPorts } from "./listening-ports.ts";
import { median, ms, printTable, ROUNDS, type Row, time } from "./measure.ts";
import { benchNotices } from "./notices.ts";

const NAME = "bench";

/** Measures the daemon relative to the engine's own time in the same run, and prints one table. */
async function bench(): Promise<void> {
  const rows: Row[] = [await coldStart()];
  await using daemon = await startDaemon();
  await launch(daemon);
  await shareTinyImage(daemon);
  const address = { kind: "unix", path: join(daemon.folder, "state/lxd/unix.socket") } as const;
  await using engine = await Engine.connect(address, { log: silentLogger });
  await createTiny(daemon, NAME);
  await startContainer(daemon, NAME);
  rows.push(...(await startAndStop(daemon, engine)));
  rows.push(await info(daemon, engine));
  rows.push(await setUpUser(daemon));
  rows.push(...(await atRest(daemon)));
  console.log(`${cpus().length} cores (${cpus()[0]?.model}), medians of ${ROUNDS}\n`);
  printTable(rows);
}

async function coldStart(): Promise<Row> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const daemon = await startDaemon();
    await daemon.stop();
    const began = performance.now();
    await daemon.start();
    times.push(performance.now() - began);
    await daemon[Symbol.asyncDispose]();
  }
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    bare.push(performance.now() - began);
  }
  return ["exec to TremplinReady", ms(median(times)), `${ms(median(bare))} bare runtime`, "400 ms"];
}

/** Alternating, so that both meet the same machine. */
async function startAndStop(daemon: TestDaemon, engine: Engine): Promise<Row[]> {
  const { tremplin, listener } = daemon;
  const ours = { start: [] as number[], stop: [] as number[] };
  const bare = { start: [] as number[], stop: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    ours.stop.push(
      await time(
        () => tremplin.stopContainer({ containerName: NAME }),
        () => listener.final("stop", NAME),
      ),
    );
    bare.start.push(await time(() => bareStart(engine)));
    bare.stop.push(await time(() => bareStop(engine)));
    ours.start.push(
      await time(
        () => tremplin.startContainer({ containerName: NAME, token: "t" }),
        () => listener.final("start", NAME),
      ),
    );
  }
  return (["start", "stop"] as const).map((what) => {
    const share = median(ours[what]) - median(bare[what]);
    return [
      `our share of ${what}`,
      ms(share),
      `${ms(median(ours[what]))} with us, ${ms(median(bare[what]))} bare`,
      "60 ms",
    ];
  });
}

/** What the engine must be asked for a start like ours: os-release, devices, start, mark. */
async function bareStart(engine: Engine): Promise<void> {
  using files = await engine.fileSession(NAME);
  await files.read("/etc/os-release", 64 * 1024);
  await engine.instances.update(NAME, (instance) => instance);
  await (await engine.instances.setState(NAME, { action: "start" })).wait();
  await engine.instances.metadata(NAME);
}

async function bareStop(engine: Engine): Promise<void> {
  await (await engine.instances.setState(NAME, { action: "stop", timeout: 15 })).wait();
}

async function info(daemon: TestDaemon, engine: Engine): Promise<Row> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let call = 0; call < 300; call++) {
    ours.push(await time(() => daemon.tremplin.getContainerInfo({ containerName: NAME })));
    bare.push(await time(() => engine.instances.state(NAME)));
  }
  const ratio = median(ours) / median(bare);
  return [
    "GetContainerInfo p50",
    `${ratio.toFixed(2)} x`,
    `${ms(median(ours))} with us, ${ms(median(bare))} bare`,
    "1.3 x",
  ];
}

/** On stopped containers that were not provisioned before. */
async function setUpUser(daemon: TestDaemon): Promise<Row> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const containerName = `user-${round}`;
    await createTiny(daemon, containerName);
    times.push(await time(() => daemon.tremplin.setUpUser({ containerName, containerUsername: "anna" })));
  }
  return ["SetUpUser, stopped container", ms(median(times)), "", "400 ms"];
}

async function atRest(daemon: TestDaemon): Promise<Row[]> {
  for (let index = 0; index < 9; index++) {
    await createTiny(daemon, `rest-${index}`);
    await startContainer(daemon, `rest-${index}`);
  }
  // At rest is a while after the last work.
  await delay(10_000);
  const before = await cpuSeconds(daemon.pid);
  await delay(20_000);
  const share = ((await cpuSeconds(daemon.pid)) - before) / 20;
  const status = await readFile(`/proc/${daemon.pid}/status`, "utf8");
  const resident = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000;
  return [
    ["resident memory, 10 running", `${resident.toFixed(0)} MB`, "", "90 MB"],
    ["CPU at rest, 10 running", `${(share * 100).toFixed(2)} %`, "of one core, over 20 s", "0.5 %"],
  ];
}

async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What can be measured alone: `scripts/bench export`. */
const parts: Readonly<Record<string, () => Promise<void>>> = {
  daemon: bench,
  ports: benchListeningPorts,
  forwards: benchForwards,
  export: benchExport,
  import: benchImport,
  notices: benchNotices,
  console: benchConsole,
  copies: benchCopies,
};

const wanted = process.argv.slice(2);
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) await part();
}
