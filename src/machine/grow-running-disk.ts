import { runProgram } from "../base/processes/run-program.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import type { MachineFolder, MachineSettings } from "./machine-folder.ts";
import { sendMonitorCommand } from "./monitor.ts";
import { sshCommand } from "./ssh-command.ts";

const RESIZE = ["btrfs", "filesystem", "resize", "max", "/mnt/stateful"];

/** Grows the disk of a running machine, and its file system. `size` in bytes. */
export async function growRunningDisk(
  folder: MachineFolder,
  settings: MachineSettings,
  size: number,
): Promise<void> {
  await sendMonitorCommand(folder.monitor, "block_resize", { device: "containers", size });
  const [ssh, ...args] = sshCommand(folder, settings, { command: RESIZE, terminal: false }) as [
    string,
    ...string[],
  ];
  await runProgram(ssh, args).catch((error) => {
    throw new TremplinError(
      "failed",
      `the disk has grown, but its file system has not (${error.message.trim()}); it grows at the next boot`,
      error,
    );
  });
}
