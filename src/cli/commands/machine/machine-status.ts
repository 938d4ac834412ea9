import { Command } from "commander";
import { processAge } from "../../../base/processes/process-info.ts";
import { bytesText, durationText, jsonLine } from "../../../base/text.ts";
import { type DiskUse, diskUse } from "../../../machine/container-disk.ts";
import { machineAddresses } from "../../../machine/machine-addresses.ts";
import type { MachineFolder, MachineSettings } from "../../../machine/machine-folder.ts";
import { formatAddress } from "../../../transport/address.ts";
import { guestAnswers } from "../../background/launch.ts";
import { isAlive } from "../../background/process-record.ts";
import { RunFolder } from "../../background/run-folder.ts";
import { HostApi } from "../../host-client/host-api.ts";
import type { Io } from "../../io.ts";
import { type MachineFlags, machineFolder } from "./machine-flags.ts";

interface Flags extends MachineFlags {
  readonly json?: true;
}

export function machineStatusCommand(io: Io): Command {
  return new Command("status")
    .description("show the state of the machine")
    .option("--json", "print one JSON document")
    .action((flags: Flags) => machineStatus(flags, io));
}

async function machineStatus(flags: Flags, io: Io): Promise<void> {
  const folder = machineFolder(flags);
  const finding = await find(folder);
  if (flags.json) io.out(jsonLine({ name: folder.name, ...finding }));
  else io.out(text(folder.name, finding));
}

interface Finding {
  readonly state: keyof typeof stateText;
  readonly disk?: DiskUse;
  readonly console: string;
  /** Undefined where the machine is not running. */
  readonly running?: MachineSettings & { readonly uptime: number; readonly host: string };
}

async function find(folder: MachineFolder): Promise<Finding> {
  const run = new RunFolder(folder.run);
  const [record, settings, disk] = await Promise.all([
    run.machine.record(),
    folder.settings(),
    diskUse(folder.disk),
  ]);
  const known = { ...(disk && { disk }), console: run.machine.logFile };
  if (!record) return { state: disk ? "off" : "absent", ...known };
  if (!isAlive(record)) return { state: "died", ...known };
  // Where it is reached was in the damaged settings.
  if (!settings) return { state: "silent", ...known };
  using api = new HostApi(run.hostSocket, folder.name);
  const state = (await guestAnswers(api, folder.name)) ? "running" : "silent";
  const uptime = Math.round(await processAge(record.pid));
  return { state, ...known, running: { ...settings, uptime, host: formatAddress(run.hostSocket) } };
}

function text(name: string, { state, disk, console, running }: Finding): string {
  const rows = [`machine   ${name} ${stateText[state]}`];
  if (disk) rows.push(`disk      ${bytesText(disk.size)}, ${bytesText(disk.used)} of it in use`);
  if (running) {
    const { memory, cpus, accelerator, uptime, host } = running;
    const { hostFindsDaemon: daemon } = machineAddresses(running);
    rows.push(
      `uptime    ${durationText(uptime * 1000)}`,
      `memory    ${bytesText(memory * 1024 ** 2)}, ${cpus} processors`,
      `cpu       ${accelerator === "kvm" ? "hardware virtualization (KVM)" : "software emulation"}`,
      `address   ${formatAddress(daemon)}${daemon.kind === "tcp" ? " with TLS" : ""}; commands need --host ${host}`,
    );
  }
  if (state === "silent" || state === "died") rows.push(`console   ${console}`);
  return rows.map((row) => `${row}\n`).join("");
}

const stateText = {
  running: "is running",
  silent: "is running, but its daemon does not answer",
  died: "has died; tremplin machine up starts it again",
  off: "is off",
  absent: "does not exist yet; tremplin machine up builds it",
} as const;
