import { Command } from "commander";
import { jsonLine } from "../../../base/text.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { sendMonitorCommand } from "../../../machine/monitor.ts";
import { isAlive, type ProcessRecord, removeRecord } from "../../background/process-record.ts";
import { RunFolder } from "../../background/run-folder.ts";
import { stopProcess, waitForExit } from "../../background/stop-process.ts";
import { wholeNumber } from "../../flags/host-flags.ts";
import type { Io } from "../../io.ts";
import { openProgress } from "../../progress/open-progress.ts";
import type { Progress } from "../../progress/progress.ts";
import { checkMachineExists, type MachineFlags, machineFolder } from "./machine-flags.ts";

const KILL_TIMEOUT_MS = 10_000;
const RETRY_INTERVAL_MS = 500;

interface Flags extends MachineFlags {
  readonly timeout: number;
  readonly json?: true;
}

export function machineDownCommand(io: Io): Command {
  const command = new Command("down")
    .description("stop the containers and power the machine off")
    .option("--timeout <seconds>", "how long to wait before the machine is killed", wholeNumber, 120)
    .option("--json", "print one JSON document");
  return command.action((flags: Flags) => machineDown(flags, io));
}

async function machineDown(flags: Flags, io: Io): Promise<void> {
  const folder = machineFolder(flags);
  await checkMachineExists(folder);
  await using _alone = await folder.lock();
  await using progress = openProgress(`stopping machine ${folder.name}`, io, { json: flags.json === true });
  const run = new RunFolder(folder.run);
  progress.update("containers, engine and machine");
  const machine = await powerOff(run, folder.monitor, flags.timeout * 1000, progress, io);
  const host = await stopProcess(run.host, "SIGTERM", 10_000, progress, io);
  if (flags.json) io.out(jsonLine({ machine, host }));
  else io.out(`machine   ${machine}\nhost      ${host}\n`);
}

/** Retries until QEMU accepts the power button: it does not answer while it is busy, or while its monitor has another client. */
async function pressButton(
  record: ProcessRecord,
  monitor: string,
  deadline: number,
  io: Io,
): Promise<boolean> {
  while (isAlive(record)) {
    const accepted = await sendMonitorCommand(monitor, "system_powerdown").then(
      () => true,
      () => false,
    );
    if (accepted || io.clock.elapsed() > deadline) return accepted;
    await io.clock.sleep(RETRY_INTERVAL_MS, io.interrupted).catch(() => {
      throw new TremplinError("cancelled", "the machine keeps running: QEMU did not answer");
    });
  }
  return true;
}

/** Presses the power button and waits; kills QEMU after the timeout. */
async function powerOff(
  { machine }: RunFolder,
  monitor: string,
  timeoutMs: number,
  progress: Progress,
  io: Io,
): Promise<string> {
  const record = await machine.record();
  if (!record) return "was not running";
  if (!isAlive(record)) {
    await removeRecord(machine.pidFile);
    return "had died before";
  }
  const deadline = io.clock.elapsed() + timeoutMs;
  const pressed = await pressButton(record, monitor, deadline, io);
  const interrupted = "the machine continues to power off; tremplin machine down waits again";
  const options = { interrupted, progress, io };
  let end = "powered off";
  if (!pressed || !(await waitForExit(record, { ...options, timeoutMs: deadline - io.clock.elapsed() }))) {
    const why = pressed
      ? `it had not powered off after ${timeoutMs / 1000} s`
      : `QEMU did not answer for ${timeoutMs / 1000} s`;
    end = `was killed: ${why}`;
    process.kill(record.pid, "SIGKILL");
    await waitForExit(record, { ...options, timeoutMs: KILL_TIMEOUT_MS });
  }
  await removeRecord(machine.pidFile);
  return end;
}
