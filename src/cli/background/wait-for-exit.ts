import { TremplinError } from "../../base/tremplin-error.ts";
import type { Io } from "../io.ts";
import type { Progress } from "../progress/progress.ts";
import { isAlive, type ProcessRecord } from "./process-record.ts";

const POLL = 50;

export interface StopOptions {
  /** How long is waited. Milliseconds. */
  readonly patience: number;
  /** What a person is told who no longer waits. */
  readonly interrupted: string;
  readonly progress: Progress;
  readonly io: Io;
}

/** Waits until a program has ended; false when it has not in time. Throws `cancelled` when a person no longer waits. */
export async function waitForExit(record: ProcessRecord, leaving: StopOptions): Promise<boolean> {
  const { patience, interrupted, progress, io } = leaving;
  for (const deadline = io.clock.now() + patience; isAlive(record); progress.alive()) {
    if (io.clock.now() > deadline) return false;
    await io.clock.sleep(POLL, io.interrupted).catch(() => {
      throw new TremplinError("cancelled", interrupted);
    });
  }
  return true;
}
