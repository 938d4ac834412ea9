import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Removes what an engine left behind whose folder this is, however it ended: processes that were started with
 * the folder in their command line (with their children), mounts below it, loop devices of files in it.
 */
export async function removeTraces(folder: string): Promise<void> {
  for (const pid of await processesOf(folder)) kill(pid);
  for (const mount of await mountsBelow(folder)) await run("umount", ["--lazy", mount]);
  for (const device of await loopsOf(folder)) await run("losetup", ["--detach", device]);
}

async function processesOf(folder: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map<number, number>();
  const found = new Set<number>();
  for (const pid of pids) {
    const status = await readOrNothing(`/proc/${pid}/status`);
    parents.set(pid, Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]));
    const named = (await readOrNothing(`/proc/${pid}/cmdline`)).includes(folder);
    if (named && pid !== process.pid) found.add(pid);
  }
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (found.has(pid) || isBelow(parents.get(pid)));
  return pids.filter(isBelow);
}

async function mountsBelow(folder: string): Promise<string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).trim().split("\n");
  const points = lines.map((line) => line.split(" ")[4] ?? "");
  return points.filter((point) => point.startsWith(`${folder}/`)).reverse();
}

async function loopsOf(folder: string): Promise<string[]> {
  const { stdout } = await run("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"]);
  const lines = stdout.trim().split("\n");
  return lines.filter((line) => line.includes(`${folder}/`)).map((line) => line.split(" ")[0] ?? "");
}

/** Empty for a process that ended meanwhile. */
async function readOrNothing(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
