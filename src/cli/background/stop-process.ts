import { TremplinError } from "../../base/tremplin-error.ts";
import type { Io } from "../io.ts";
import type { Progress } from "../progress/progress.ts";
import type { BackgroundProcess } from "./background-process.ts";
import { engineAfter } from "./engine-after.ts";
import { isAlive, type ProcessRecord, removeRecord } from "./process-record.ts";
import { waitForExit } from "./wait-for-exit.ts";

/** Asks a program to end and waits for that. Says what became of it. */
export async function stopProcess(
  part: BackgroundProcess,
  signal: NodeJS.Signals,
  patience: number,
  progress: Progress,
  io: Io,
): Promise<string> {
  const record = await part.record();
  if (!record) return "none was started by tremplin up";
  const isDaemon = part.name === "daemon";
  if (!isAlive(record)) {
    await removeRecord(part.pidFile);
    return isDaemon ? `had died before, ${await engineAfter(record.words)}` : "had died before";
  }
  kill(record, signal);
  const interrupted = `the ${part.name} goes on ending in the background`;
  if (!(await waitForExit(record, { patience, interrupted, progress, io }))) {
    throw tooLong(part, record, patience);
  }
  await removeRecord(part.pidFile);
  return isDaemon ? `stopped, ${await engineAfter(record.words)}` : "stopped";
}

function kill(record: ProcessRecord, signal: NodeJS.Signals): void {
  try {
    process.kill(record.pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") return;
    const advice = code === "EPERM" ? "run sudo tremplin down" : (error as Error).message;
    throw new TremplinError("failed", `cannot end process ${record.pid}: ${advice}`, error);
  }
}

function tooLong(
  { name, logFile }: BackgroundProcess,
  { pid }: ProcessRecord,
  patience: number,
): TremplinError {
  return new TremplinError(
    "timed-out",
    `the ${name} (process ${pid}) is still ending after ${patience / 1000} s and goes on; its log is ${logFile}; tremplin down waits again`,
  );
}
