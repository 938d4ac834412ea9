import { TremplinError } from "../../base/tremplin-error.ts";
import type { Io } from "../io.ts";
import type { Progress } from "../progress/progress.ts";
import type { BackgroundProcess } from "./background-process.ts";
import { isAlive, type ProcessRecord } from "./process-record.ts";
import { describeRemainingEngine } from "./remaining-engine.ts";

const POLL_INTERVAL_MS = 50;

/** Sends a signal to a background process and waits until it has ended. Returns the result as text. */
export async function stopProcess(
  background: BackgroundProcess,
  signal: NodeJS.Signals,
  timeoutMs: number,
  progress: Progress,
  io: Io,
): Promise<string> {
  const record = await background.record();
  if (!record) return "not started by tremplin up";
  const isDaemon = background.name === "daemon";
  if (!isAlive(record)) {
    await background.forget();
    return isDaemon ? `had died before, ${await describeRemainingEngine(record.words)}` : "had died before";
  }
  kill(record, signal);
  const interrupted = `the ${background.name} continues to shut down in the background`;
  if (!(await waitForExit(record, { timeoutMs, interrupted, progress, io }))) {
    throw timeoutError(background, record, timeoutMs);
  }
  await background.forget();
  return isDaemon ? `stopped, ${await describeRemainingEngine(record.words)}` : "stopped";
}

export interface WaitOptions {
  readonly timeoutMs: number;
  /** The error message when the user interrupts the wait. */
  readonly interrupted: string;
  readonly progress: Progress;
  readonly io: Io;
}

/** Waits until a process has ended; false after the timeout. Throws `cancelled` when the user interrupts the wait. */
export async function waitForExit(record: ProcessRecord, options: WaitOptions): Promise<boolean> {
  const { timeoutMs, interrupted, progress, io } = options;
  for (const deadline = io.clock.elapsed() + timeoutMs; isAlive(record); progress.heartbeat()) {
    if (io.clock.elapsed() > deadline) return false;
    await io.clock.sleep(POLL_INTERVAL_MS, io.interrupted).catch(() => {
      throw new TremplinError("cancelled", interrupted);
    });
  }
  return true;
}

function kill(record: ProcessRecord, signal: NodeJS.Signals): void {
  try {
    process.kill(record.pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") return;
    const advice = code === "EPERM" ? "run sudo tremplin down" : (error as Error).message;
    throw new TremplinError("failed", `cannot stop process ${record.pid}: ${advice}`, error);
  }
}

function timeoutError(
  { name, logFile }: BackgroundProcess,
  { pid }: ProcessRecord,
  timeoutMs: number,
): TremplinError {
  return new TremplinError(
    "timed-out",
    `the ${name} (process ${pid}) is still shutting down after ${timeoutMs / 1000} s, in the background; its log is ${logFile}; tremplin down waits again`,
  );
}
