import { readFile, rm } from "node:fs/promises";
import { replaceFile } from "../../base/files/files.ts";
import { bootId, commandLineSync, processStartTime } from "../../base/processes/process-info.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/**
 * The content of a pid file. The kernel reuses pids, so the start time (in the kernel's ticks since its boot) and the
 * boot id identify the process.
 */
export interface ProcessRecord {
  readonly pid: number;
  readonly startedAt: string;
  readonly boot: string;
  /** The command line without the program. Pid files and the JSON of `tremplin up` have the key `words`. */
  readonly words: readonly string[];
}

/** The record of a process that was just started; undefined when it has already ended. */
export function recordOf(pid: number, words: readonly string[]): ProcessRecord | undefined {
  const startedAt = processStartTime(pid);
  return startedAt === undefined ? undefined : { pid, startedAt, boot: bootId(), words };
}

/** Whether the recorded process is still running, with the arguments that it was started with. */
export function isAlive(record: ProcessRecord): boolean {
  if (record.boot !== bootId() || processStartTime(record.pid) !== record.startedAt) return false;
  const args = record.words.length === 0 ? [] : commandLineSync(record.pid).slice(-record.words.length);
  return args.join("\0") === record.words.join("\0");
}

/** Reads a pid file; undefined when it is missing or of another format. Throws when it cannot be read. */
export async function readRecord(path: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "null";
    const advice = error.code === "EACCES" ? "run this with sudo" : systemErrorText(error);
    throw new TremplinError("failed", `cannot read ${path}: ${advice}`, error);
  });
  try {
    const record = JSON.parse(text) as ProcessRecord | null;
    return Number.isInteger(record?.pid) && Array.isArray(record?.words) ? (record ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}

export function writeRecord(path: string, record: ProcessRecord): Promise<void> {
  return replaceFile(path, `${JSON.stringify(record)}\n`);
}

export function removeRecord(path: string): Promise<void> {
  return rm(path, { force: true });
}
