import { dirname, join } from "node:path";
import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { diskUse, mustGrow, parseSize } from "../../machine/container-disk.ts";
import { growRunningDisk } from "../../machine/grow-running-disk.ts";
import { machineAddresses } from "../../machine/machine-addresses.ts";
import type { MachineFolder, MachineSettings } from "../../machine/machine-folder.ts";
import { type MachineWishes, prepareMachine } from "../../machine/prepare-machine.ts";
import { qemuArguments } from "../../machine/qemu-arguments.ts";
import { formatAddress } from "../../transport/address.ts";
import { ensure, guestAnswers, hostAnswers } from "../background/launch.ts";
import { RunFolder } from "../background/run-folder.ts";
import { stopProcess } from "../background/stop-process.ts";
import { wholeNumber } from "../flags/host-flags.ts";
import { type MachineFlags, machineFolder, withMachineFlags } from "../flags/machine-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { launchEngine } from "../host-client/launch-engine.ts";
import type { Io } from "../io.ts";
import { noProgress, type Progress } from "../progress/progress.ts";
import { showProgress } from "../progress/show-progress.ts";

/** How long a machine may take to boot: most of it where every instruction is emulated. Milliseconds. */
const BOOT_PATIENCE = 300_000;
const COMMAND = "tremplin machine up";

interface Flags extends MachineFlags {
  readonly memory?: number;
  readonly cpus?: number;
  readonly disk?: string;
  readonly rebuild?: boolean;
  readonly json?: true;
}

export function machineUpCommand(io: Io): Command {
  const command = withMachineFlags(new Command("up").description("build the machine once, and boot it"))
    .option("--disk <size>", "the size of the containers' disk, which can only grow (at first 20G)")
    .option("--memory <MiB>", "the machine's memory from this start on (at first 2048)", wholeNumber)
    .option(
      "--cpus <number>",
      "its processors from this start on (at first the host's, up to 4)",
      wholeNumber,
    )
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
  const wishes = wishesOf(flags);
  const settings = running ? await unchanged(folder, wishes) : await prepare(folder, wishes, progress, io);
  if (!running) {
    // The host of an earlier boot knows other ports.
    await stopProcess(run.host, "SIGTERM", 10_000, progress, io);
  }
  using api = new HostApi(run.hostSocket, folder.name);
  progress.step("host");
  const program = [process.execPath, ...process.execArgv, process.argv[1] as string];
  const starting = { io, command: COMMAND };
  await ensure(run.host, program, hostWords(folder, run, settings), () => hostAnswers(api), starting);
  progress.step(settings.accelerator === "kvm" ? "booting" : "booting, by software emulation (slow)");
  const words = qemuArguments(folder, settings);
  const boots = () => guestAnswers(api, folder.name);
  const patience = BOOT_PATIENCE;
  await ensure(run.machine, ["qemu-system-x86_64"], words, boots, { ...starting, patience });
  if (running && wishes.disk && mustGrow(await diskUse(folder.disk), wishes.disk)) {
    progress.step("growing the disk");
    await growRunningDisk(folder, settings, wishes.disk);
  }
  progress.step("engine");
  const engine = await launchEngine({ api, io, progress, json }, false);
  const host = formatAddress(run.hostSocket);
  const { accelerator } = settings;
  const state = running ? "ran already" : "started";
  const { name, shared } = folder;
  if (json) io.out(`${JSON.stringify({ name, state, accelerator, engine, shared, host })}\n`);
  else {
    const rows = [`machine   ${state}`, `engine    ${engine}`, `files     ${shared} is the shared folder`];
    io.out(`${rows.join("\n")}\ncommands find it with --host ${host}\n`);
  }
}

function wishesOf({ memory, cpus, disk, rebuild = false }: Flags): MachineWishes {
  return { memory, cpus, disk: disk === undefined ? undefined : parseSize(disk), rebuild };
}

/** Of a machine that runs only the disk can change. Throws `busy` for more. */
async function unchanged(folder: MachineFolder, wishes: MachineWishes): Promise<MachineSettings> {
  const settings = await folder.settings();
  if (!settings) throw new TremplinError("failed", `${folder.path} has lost its settings.json`);
  if (wishes.disk) mustGrow(await diskUse(folder.disk), wishes.disk);
  const { memory = settings.memory, cpus = settings.cpus, rebuild } = wishes;
  if (memory === settings.memory && cpus === settings.cpus && !rebuild) return settings;
  throw new TremplinError(
    "busy",
    `machine ${folder.name} runs, and only its disk can change meanwhile: run tremplin machine down first`,
  );
}

async function prepare(
  folder: MachineFolder,
  wishes: MachineWishes,
  progress: Progress,
  io: Io,
): Promise<MachineSettings> {
  // dist/app/tremplin.js lies two folders below the program's.
  const program = dirname(dirname(dirname(process.argv[1] as string)));
  const steps = prepareMachine(folder, wishes, program, io.interrupted);
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
    progress.step(value);
  }
}

function hostWords(folder: MachineFolder, run: RunFolder, settings: MachineSettings): string[] {
  const { hostListens, hostFindsDaemon } = machineAddresses(settings);
  const key = (name: string): string => join(folder.keys, name);
  return [
    ...["host", "--listen", formatAddress(run.hostSocket), "--listen", formatAddress(hostListens)],
    ...["--guest", `${folder.name}=${formatAddress(hostFindsDaemon)}`, "--state", join(folder.path, "host")],
    ...["--tls-cert", key("host.crt"), "--tls-key", key("host.key"), "--tls-ca", key("ca.crt")],
  ];
}
