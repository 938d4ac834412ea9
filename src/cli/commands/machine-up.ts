import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { canAccess } from "../../base/can-access.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { findAccelerator } from "../../machine/accelerator.ts";
import { buildSystem } from "../../machine/build-system.ts";
import { diskUse, growDisk, mustGrow, parseSize } from "../../machine/container-disk.ts";
import type { MachineFolder, MachinePorts, MachineSettings } from "../../machine/machine-folder.ts";
import { makeKeys } from "../../machine/make-keys.ts";
import { qemuArguments } from "../../machine/qemu-arguments.ts";
import { checkRequirements } from "../../machine/requirements.ts";
import { shareFiles } from "../../machine/share-files.ts";
import { formatAddress } from "../../transport/address.ts";
import { endPart } from "../background/end-part.ts";
import { ensure, guestAnswers, hostAnswers } from "../background/launch.ts";
import { RunFolder } from "../background/run-folder.ts";
import { HostApi } from "../host-api.ts";
import { wholeNumber } from "../host-flags.ts";
import type { Io } from "../io.ts";
import { launchEngine } from "../launch-engine.ts";
import { type MachineFlags, machineFolder, withMachineFlags } from "../machine-flags.ts";
import { noProgress, type Progress } from "../progress/progress.ts";
import { showProgress } from "../progress/show-progress.ts";

/** The size of a new machine's disk, which takes only what is in use. */
const DISK = "20G";
/** How long a machine may take to boot: most of it where every instruction is emulated. Milliseconds. */
const BOOT_PATIENCE = 300_000;

interface Flags extends MachineFlags {
  readonly memory: number;
  readonly cpus: number;
  readonly disk?: string;
  readonly rebuild?: true;
  readonly json?: true;
}

export function machineUpCommand(io: Io): Command {
  const command = withMachineFlags(new Command("up").description("build the machine once, and boot it"))
    .option("--disk <size>", `the size of the containers' disk, which can only grow (default: ${DISK})`)
    .option("--memory <MiB>", "the machine's memory", wholeNumber, 2048)
    .option("--cpus <number>", "its processors", wholeNumber, Math.min(4, availableParallelism()))
    .option("--rebuild", "install Debian anew; the containers stay")
    .option("--json", "one JSON document, after one JSON line for each step");
  return command.action((flags: Flags) => machineUp(flags, io));
}

async function machineUp(flags: Flags, io: Io): Promise<void> {
  const folder = machineFolder(flags);
  await using _alone = await folder.hold();
  const run = new RunFolder(folder.run);
  const json = flags.json === true;
  await using progress = json ? noProgress : showProgress(`machine ${folder.name}`, io);
  const running = (await run.machine.living()) !== undefined;
  const settings = running ? await unchanged(folder, flags) : await prepare(folder, flags, progress, io);
  if (!running) {
    // The host of an earlier boot knows other ports.
    await endPart(run.host, "SIGTERM", 10_000, progress, io);
  }
  using api = new HostApi(run.hostSocket, folder.name);
  progress.step("host");
  const program = [process.execPath, ...process.execArgv, process.argv[1] as string];
  await ensure(run.host, program, hostWords(folder, run, settings.ports), () => hostAnswers(api), io);
  progress.step(settings.accelerator === "kvm" ? "booting" : "booting, by software emulation (slow)");
  const words = qemuArguments(folder, settings);
  const boots = () => guestAnswers(api, folder.name);
  await ensure(run.machine, ["qemu-system-x86_64"], words, boots, io, BOOT_PATIENCE);
  progress.step("engine");
  const engine = await launchEngine({ api, io, progress, json }, false);
  const host = formatAddress(run.hostSocket);
  const { accelerator } = settings;
  const state = running ? "ran already" : "started";
  if (json) io.out(`${JSON.stringify({ name: folder.name, state, accelerator, engine, host })}\n`);
  else io.out(`machine   ${state}\nengine    ${engine}\ncommands find it with --host ${host}\n`);
}

/** A machine that runs is left as it is. */
async function unchanged(folder: MachineFolder, flags: Flags): Promise<MachineSettings> {
  const settings = await folder.settings();
  if (!settings) throw new TremplinError("failed", `${folder.path} has lost its settings.json`);
  const grows = flags.disk !== undefined && mustGrow(await diskUse(folder.disk), parseSize(flags.disk));
  if (!grows && !flags.rebuild) return settings;
  throw new TremplinError(
    "busy",
    `machine ${folder.name} runs, and its disks change only at a start: run tremplin machine down first`,
  );
}

/** Makes what is missing of the machine, and what each start makes anew. */
async function prepare(
  folder: MachineFolder,
  flags: Flags,
  progress: Progress,
  io: Io,
): Promise<MachineSettings> {
  const build = flags.rebuild === true || !(await canAccess(folder.system));
  await checkRequirements({ build });
  const now = await diskUse(folder.disk);
  const size = flags.disk === undefined && now ? now.size : parseSize(flags.disk ?? DISK);
  const grows = mustGrow(now, size);
  if (build) {
    for await (const line of buildSystem(folder.system, io.interrupted)) progress.step(line);
  }
  if (!(await canAccess(folder.keys))) await makeKeys(folder);
  if (grows) await growDisk(folder.disk, size);
  progress.step("trying hardware virtualisation");
  const accelerator = await findAccelerator(join(folder.system, "vmlinuz"), io.interrupted);
  const [daemon, ssh, listener] = await freePorts(3);
  const ports = { daemon, ssh, listener } as MachinePorts;
  const settings = { memory: flags.memory, cpus: flags.cpus, accelerator, ports };
  // dist/app/tremplin.js lies two folders below the program's.
  await shareFiles(folder, dirname(dirname(dirname(process.argv[1] as string))), ports);
  await folder.keepSettings(settings);
  return settings;
}

function hostWords(folder: MachineFolder, run: RunFolder, ports: MachinePorts): string[] {
  const key = (name: string): string => join(folder.keys, name);
  return [
    ...["host", "--listen", formatAddress(run.hostSocket), "--listen", `tcp:127.0.0.1:${ports.listener}`],
    ...["--guest", `${folder.name}=tcp:127.0.0.1:${ports.daemon}`, "--state", join(folder.path, "host")],
    ...["--tls-cert", key("host.crt"), "--tls-key", key("host.key"), "--tls-ca", key("ca.crt")],
  ];
}

/** TCP ports of the loopback that nobody has now, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(async (server) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    return await promise;
  });
  const found = await Promise.all(ports);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return found;
}
