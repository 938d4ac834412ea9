import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { TremplinError } from "../base/tremplin-error.ts";
import type { MachineFolder, MachineSettings } from "./machine-folder.ts";
import { sendMonitorCommand } from "./monitor.ts";
import { sshCommand } from "./ssh-command.ts";

const execute = promisify(execFile);
const RESIZE = ["btrfs", "filesystem", "resize", "max", "/mnt/stateful"];

/** Grows the disk of a machine that runs, and the file system on it. Bytes. */
export async function growRunningDisk(
  folder: MachineFolder,
  settings: MachineSettings,
  size: number,
): Promise<void> {
  await sendMonitorCommand(folder.monitor, "block_resize", { device: "containers", size });
  const [ssh, ...words] = sshCommand(folder, settings, { command: RESIZE, terminal: false }) as [
    string,
    ...string[],
  ];
  await execute(ssh, words).catch((error) => {
    throw new TremplinError(
      "failed",
      `the disk has grown, but not what is on it (${error.message.trim()}); that follows at the next boot`,
      error,
    );
  });
}
