import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { tellMonitor } from "../../machine/monitor.ts";
import { isAlive, type ProcessRecord, removeRecord } from "../background/process-record.ts";
import { RunFolder } from "../background/run-folder.ts";
import { stopProcess } from "../background/stop-process.ts";
import { waitForExit } from "../background/wait-for-exit.ts";
import { wholeNumber } from "../flags/host-flags.ts";
import { type MachineFlags, machineFolder, withMachineFlags } from "../flags/machine-flags.ts";
import type { Io } from "../io.ts";
import { noProgress, type Progress } from "../progress/progress.ts";
import { showProgress } from "../progress/show-progress.ts";

/** What is killed is gone after this. Milliseconds. */
const KILLED = 10_000;
const PRESS_AGAIN = 500;

interface Flags extends MachineFlags {
  readonly timeout: number;
  readonly json?: true;
}

export function machineDownCommand(io: Io): Command {
  const command = withMachineFlags(new Command("down").description("stop the containers and power off"))
    .option("--timeout <seconds>", "how long to wait before the plug is pulled", wholeNumber, 120)
    .option("--json", "one JSON document");
  return command.action((flags: Flags) => machineDown(flags, io));
}

async function machineDown(flags: Flags, io: Io): Promise<void> {
  const folder = machineFolder(flags);
  await using _alone = await folder.hold();
  await using progress = flags.json ? noProgress : showProgress(`machine ${folder.name} going down`, io);
  const run = new RunFolder(folder.run);
  progress.step("containers, engine and machine");
  const machine = await powerOff(run, folder.monitor, flags.timeout * 1000, progress, io);
  const host = await stopProcess(run.host, "SIGTERM", 10_000, progress, io);
  if (flags.json) io.out(`${JSON.stringify({ machine, host })}\n`);
  else io.out(`machine   ${machine}\nhost      ${host}\n`);
}

/** Whether the button could be pressed: QEMU is silent while it is busy, or while somebody else speaks to its monitor. */
async function pressButton(
  record: ProcessRecord,
  monitor: string,
  deadline: number,
  io: Io,
): Promise<boolean> {
  while (isAlive(record)) {
    const isPressed = await tellMonitor(monitor, "system_powerdown").then(
      () => true,
      () => false,
    );
    if (isPressed || io.clock.now() > deadline) return isPressed;
    await io.clock.sleep(PRESS_AGAIN, io.interrupted).catch(() => {
      throw new TremplinError("cancelled", "the machine goes on running: its QEMU was silent");
    });
  }
  return true;
}

/** Presses the power button and waits; pulls the plug when that leads nowhere. */
async function powerOff(
  { machine }: RunFolder,
  monitor: string,
  patience: number,
  progress: Progress,
  io: Io,
): Promise<string> {
  const record = await machine.record();
  if (!record) return "did not run";
  if (!isAlive(record)) {
    await removeRecord(machine.pidFile);
    return "had died before";
  }
  const deadline = io.clock.now() + patience;
  const pressed = await pressButton(record, monitor, deadline, io);
  const interrupted = "the machine goes on powering off; tremplin machine down waits again";
  const leaving = { interrupted, progress, io };
  let end = "powered off";
  if (!pressed || !(await waitForExit(record, { ...leaving, patience: deadline - io.clock.now() }))) {
    const why = pressed
      ? `it had not ended after ${patience / 1000} s`
      : `QEMU was silent for ${patience / 1000} s`;
    end = `was cut off: ${why}`;
    process.kill(record.pid, "SIGKILL");
    await waitForExit(record, { ...leaving, patience: KILLED });
  }
  await removeRecord(machine.pidFile);
  return end;
}
