import { rm } from "node:fs/promises";
import * as z from "zod";
import { DamagedFileError, JsonFile } from "../../base/files/json-file.ts";
import {
  isSameProcess,
  type ProcessIdentity,
  processIdentity,
} from "../../base/processes/process-identity.ts";
import { commandLineSync } from "../../base/processes/process-info.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

const schema = z.object({
  pid: z.int().positive(),
  startedAt: z.string(),
  boot: z.string(),
  words: z.array(z.string()),
});

/** The content of a pid file. */
export interface ProcessRecord extends ProcessIdentity {
  /** The command line without the program. Pid files and the JSON of `tremplin up` have the key `words`. */
  readonly words: readonly string[];
}

/** The record of a process that was just started; undefined when it has already ended. */
export function recordOf(pid: number, words: readonly string[]): ProcessRecord | undefined {
  const identity = processIdentity(pid);
  return identity && { ...identity, words };
}

/** Whether the recorded process is still running, with the arguments that it was started with. */
export function isAlive(record: ProcessRecord): boolean {
  if (!isSameProcess(record)) return false;
  const args = record.words.length === 0 ? [] : commandLineSync(record.pid).slice(-record.words.length);
  return args.join("\0") === record.words.join("\0");
}

/** Reads a pid file; undefined when it is missing, "damaged" for any other content. Throws when it cannot be read. */
export async function readRecord(path: string): Promise<ProcessRecord | "damaged" | undefined> {
  try {
    return await fileOf(path).read();
  } catch (error) {
    if (error instanceof DamagedFileError) return "damaged";
    const { code } = error as NodeJS.ErrnoException;
    const advice = code === "EACCES" ? "run this with sudo" : systemErrorText(error);
    throw new TremplinError("failed", `cannot read ${path}: ${advice}`, error);
  }
}

export function writeRecord(path: string, record: ProcessRecord): Promise<void> {
  return fileOf(path).write({ ...record, words: [...record.words] });
}

export function removeRecord(path: string): Promise<void> {
  return rm(path, { force: true });
}

function fileOf(path: string) {
  return new JsonFile({ path, schema, without: "the process is looked for" });
}
