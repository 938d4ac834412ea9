import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { textIfReadable } from "../files/files.ts";

/** What the kernel says of a process in its file `stat` (proc_pid_stat(5)). */
export interface ProcessStat {
  /** `Z` and `X` are processes that have ended. */
  readonly state: string;
  readonly parent: number;
  /** In hundredths of a second since the boot. A reused process id has another one. */
  readonly startTime: string;
}

/** Reads the text of a file `stat`; undefined for an incomplete one. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // The second field, a name in parentheses, can contain anything: fields are counted from its end.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent, startTime] = [fields[0], fields[1], fields[19]];
  if (state === undefined || startTime === undefined) return undefined;
  return { state, parent: Number(parent), startTime };
}

/** Undefined when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** How long ago a process was started, in seconds, by the clock of the kernel; 0 for one that has ended. */
export async function processAge(pid: number): Promise<number> {
  const stat = processStat(pid);
  const uptime = Number((await textIfReadable("/proc/uptime")).split(" ")[0]);
  if (stat === undefined || hasEnded(stat)) return 0;
  return Math.max(0, uptime - Number(stat.startTime) / 100);
}

/** Whether a process has ended, and its parent has not read its exit code. */
export function hasEnded({ state }: ProcessStat): boolean {
  return state === "Z" || state === "X";
}

/** The program and the arguments of a process; empty when it has ended. UTF-8, as in the arguments of Node.js. */
export async function commandLine(pid: number): Promise<string[]> {
  const text = await textIfReadable(`/proc/${pid}/cmdline`);
  return text.split("\0").slice(0, -1);
}

/** As commandLine, for callers that must decide before anything else happens. */
export function commandLineSync(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

/** The ids of all processes. */
export async function processIds(): Promise<number[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** The random id that the kernel gave to this boot of the machine. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
