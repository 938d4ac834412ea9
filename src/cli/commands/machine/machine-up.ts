import { dirname, join } from "node:path";
import { Command } from "commander";
import { parseSize } from "../../../base/size.ts";
import { jsonLine } from "../../../base/text.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { diskUse, MIN_DISK, needsToGrow } from "../../../machine/container-disk.ts";
import { growRunningDisk } from "../../../machine/grow-running-disk.ts";
import { machineAddresses } from "../../../machine/machine-addresses.ts";
import type { MachineFolder, MachineSettings } from "../../../machine/machine-folder.ts";
import { type MachineOverrides, prepareMachine } from "../../../machine/prepare-machine.ts";
import { qemuArguments } from "../../../machine/qemu-arguments.ts";
import { checkUser } from "../../../machine/requirements.ts";
import { findOwnership } from "../../../machine/shared-ownership.ts";
import { formatAddress } from "../../../transport/address.ts";
import { ensureRunning, guestAnswers, hostAnswers } from "../../background/launch.ts";
import { RunFolder } from "../../background/run-folder.ts";
import { stopProcess } from "../../background/stop-process.ts";
import { wholeNumber } from "../../flags/host-flags.ts";
import { findProblems, problemText } from "../../host-client/find-problems.ts";
import { HostApi } from "../../host-client/host-api.ts";
import { launchEngine } from "../../host-client/launch-engine.ts";
import { untilStartedAgain } from "../../host-client/restart-containers.ts";
import type { Io } from "../../io.ts";
import { openProgress } from "../../progress/open-progress.ts";
import type { Progress } from "../../progress/progress.ts";
import { type MachineFlags, machineFolder } from "./machine-flags.ts";

/** Software emulation takes most of it. */
const BOOT_TIMEOUT_MS = 300_000;
const MIB = 1024 ** 2;
/** Debian, the daemon and an engine need that much. */
const MIN_MEMORY = 256 * MIB;
const COMMAND = "tremplin machine up";

interface Flags extends MachineFlags {
  readonly memory?: string;
  readonly cpus?: number;
  readonly disk?: string;
  readonly rebuild?: boolean;
  readonly asRoot?: true;
  readonly json?: true;
}

export function machineUpCommand(io: Io): Command {
  const command = new Command("up")
    .description("boot the machine; the first time, build it")
    .option("--disk <size>", "the size of the disk for containers; it can only grow (first start: 20G)")
    .option("--memory <size>", "the memory, from this start on (first start: 2G; a number alone is MiB)")
    .option(
      "--cpus <number>",
      "the number of processors, from this start on (first start: those of this computer, at most 4)",
      wholeNumber,
    )
    .option("--rebuild", "install Debian again; the containers are kept")
    .option("--as-root", "run the machine as root, which is refused otherwise")
    .option("--json", "print one JSON line for each event, then one JSON document");
  return command.action((flags: Flags) => machineUp(flags, io));
}

async function machineUp(flags: Flags, io: Io): Promise<void> {
  checkUser({ uid: process.geteuid?.(), asRoot: flags.asRoot === true });
  const folder = machineFolder(flags);
  await using _alone = await folder.lock();
  const run = new RunFolder(folder.run);
  const json = flags.json === true;
  await using progress = openProgress(`machine ${folder.name}`, io, { json });
  const running = (await run.machine.findRunning()) !== undefined;
  const overrides = overridesOf(flags);
  const settings = running
    ? await unchanged(folder, overrides)
    : await prepare(folder, overrides, progress, io);
  if (!running) {
    // The host process of an earlier boot uses other ports.
    await stopProcess(run.host, "SIGTERM", 10_000, progress, io);
  }
  using api = new HostApi(run.hostSocket, folder.name);
  progress.update("host");
  const program = [process.execPath, ...process.execArgv, process.argv[1] as string];
  const starting = { io, command: COMMAND };
  await ensureRunning(
    run.host,
    program,
    hostArguments(folder, run, settings),
    () => hostAnswers(api),
    starting,
  );
  progress.update(settings.accelerator === "kvm" ? "booting" : "booting, with software emulation (slow)");
  const args = qemuArguments(folder, settings, await findOwnership(folder.shared));
  const isReady = () => guestAnswers(api, folder.name);
  await ensureRunning(run.machine, ["qemu-system-x86_64"], args, isReady, {
    ...starting,
    timeoutMs: BOOT_TIMEOUT_MS,
  });
  if (running && overrides.disk && needsToGrow(await diskUse(folder.disk), overrides.disk)) {
    progress.update("growing the disk");
    await growRunningDisk(folder, settings, overrides.disk);
  }
  progress.update("engine");
  const session = { api, io, progress, json };
  const { text: engine } = await launchEngine(session, false);
  const { restarted } = await untilStartedAgain(session);
  for (const each of (await findProblems(api, io.interrupted)) ?? []) progress.print(problemText(each));
  const host = formatAddress(run.hostSocket);
  const { accelerator } = settings;
  const state = running ? "ran already" : "started";
  const { name, shared } = folder;
  if (json) io.out(jsonLine({ name, state, accelerator, engine, restarted, shared, host }));
  else {
    const rows = [
      `machine   ${running ? "already running" : "started"}`,
      `engine    ${engine}`,
      ...(restarted.length > 0 ? [`running   ${restarted.join(", ")}, as before`] : []),
      `files     the shared folder is ${shared}`,
    ];
    io.out(`${rows.join("\n")}\ncommands need --host ${host}\n`);
  }
}

function overridesOf({ memory, cpus, disk, rebuild = false }: Flags): MachineOverrides {
  const memorySize = { what: "the memory", least: MIN_MEMORY, bare: MIB };
  return {
    memory: memory === undefined ? undefined : mib(parseSize(memory, memorySize)),
    cpus,
    disk: disk === undefined ? undefined : mib(parseSize(disk, { what: "the disk", least: MIN_DISK })) * MIB,
    rebuild,
  };
}

/** QEMU takes whole ones. */
function mib(bytes: number): number {
  return Math.floor(bytes / MIB);
}

/** The settings of a running machine, of which only the disk size can change. Throws `busy` for other changes. */
async function unchanged(folder: MachineFolder, overrides: MachineOverrides): Promise<MachineSettings> {
  const settings = await folder.settings();
  if (!settings) {
    throw new TremplinError(
      "failed",
      `machine ${folder.name} is running, but ${folder.path}/settings.json is missing or damaged: run tremplin machine down, then tremplin machine up again`,
    );
  }
  if (overrides.disk) needsToGrow(await diskUse(folder.disk), overrides.disk);
  const { memory = settings.memory, cpus = settings.cpus, rebuild } = overrides;
  if (memory === settings.memory && cpus === settings.cpus && !rebuild) return settings;
  throw new TremplinError(
    "busy",
    `machine ${folder.name} is running, and only its disk can change: run tremplin machine down first`,
  );
}

async function prepare(
  folder: MachineFolder,
  overrides: MachineOverrides,
  progress: Progress,
  io: Io,
): Promise<MachineSettings> {
  // The script is dist/app/tremplin.js in the program's folder.
  const program = dirname(dirname(dirname(process.argv[1] as string)));
  const steps = prepareMachine(folder, overrides, program, io.interrupted);
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
    progress.update(value);
  }
}

function hostArguments(folder: MachineFolder, run: RunFolder, settings: MachineSettings): string[] {
  const { hostListens, hostFindsDaemon } = machineAddresses(settings);
  const key = (name: string): string => join(folder.keys, name);
  return [
    ...["host", "--listen", formatAddress(run.hostSocket), "--listener", formatAddress(hostListens)],
    ...["--guest", `${folder.name}=${formatAddress(hostFindsDaemon)}`, "--state", join(folder.path, "host")],
    ...["--tls-cert", key("host.crt"), "--tls-key", key("host.key"), "--tls-ca", key("ca.crt")],
    ...["--tls-peer", key("daemon.crt")],
    // QEMU cannot rotate its own.
    ...["--rotate-log", run.host.logFile, "--rotate-log", run.machine.logFile],
  ];
}
