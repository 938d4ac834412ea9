import { runProgram } from "../base/processes/run-program.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import type { MachineFolder, MachineSettings } from "./machine-folder.ts";
import { tellMonitor } from "./monitor.ts";
import { shellWords } from "./shell-words.ts";

const RESIZE = ["btrfs", "filesystem", "resize", "max", "/mnt/stateful"];

/** Grows the disk of a machine that runs, and the file system on it. Bytes. */
export async function growRunningDisk(
  folder: MachineFolder,
  settings: MachineSettings,
  size: number,
): Promise<void> {
  await tellMonitor(folder.monitor, "block_resize", { device: "containers", size });
  const [ssh, ...words] = shellWords(folder, settings, { command: RESIZE, terminal: false }) as [
    string,
    ...string[],
  ];
  await runProgram(ssh, words).catch((error) => {
    throw new TremplinError(
      "failed",
      `the disk has grown, but not what is on it (${error.message.trim()}); that follows at the next boot`,
      error,
    );
  });
}
