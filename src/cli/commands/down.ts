import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { engineAfter } from "../background/engine-after.ts";
import type { Part } from "../background/part.ts";
import { isAlive, type ProcessRecord, removeRecord } from "../background/process-record.ts";
import { DEFAULT_RUN, RunFolder } from "../background/run-folder.ts";
import { wholeNumber } from "../host-flags.ts";
import type { Io } from "../io.ts";
import { noProgress, type Progress } from "../progress/progress.ts";
import { showProgress } from "../progress/show-progress.ts";

/** How long the host may take: it has nothing to finish. Milliseconds. */
const HOST_PATIENCE = 10_000;
const POLL = 50;

interface Flags {
  readonly run: string;
  readonly timeout: number;
  readonly json?: true;
}

export function downCommand(io: Io): Command {
  const command = new Command("down")
    .option("--run <dir>", "the folder that tremplin up was given", DEFAULT_RUN)
    .option("--timeout <seconds>", "how long to wait for the containers and the engine", wholeNumber, 120)
    .option("--json", "one JSON document");
  return command.action((flags: Flags) => down(flags, io));
}

async function down(flags: Flags, io: Io): Promise<void> {
  const run = new RunFolder(flags.run);
  await using _alone = await run.hold();
  const result = await bringDown(run, flags, io);
  if (flags.json) io.out(`${JSON.stringify(result)}\n`);
  else io.out(`daemon    ${result.daemon}\nhost      ${result.host}\n`);
}

async function bringDown(run: RunFolder, flags: Flags, io: Io): Promise<{ daemon: string; host: string }> {
  await using progress = flags.json ? noProgress : showProgress("going down", io);
  progress.step("containers, engine and daemon");
  const daemon = await end(run.daemon, "SIGPWR", flags.timeout * 1000, progress, io);
  progress.step("host");
  const host = await end(run.host, "SIGTERM", HOST_PATIENCE, progress, io);
  return { daemon, host };
}

/** Asks a program to end and waits for that. Says what became of it. */
async function end(
  part: Part,
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
  const deadline = io.clock.now() + patience;
  while (isAlive(record)) {
    if (io.clock.now() > deadline) throw tooLong(part, record, patience);
    await io.clock.sleep(POLL, io.interrupted).catch(() => {
      throw new TremplinError("cancelled", `the ${part.name} goes on ending in the background`);
    });
    progress.alive();
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

function tooLong({ name, logFile }: Part, { pid }: ProcessRecord, patience: number): TremplinError {
  return new TremplinError(
    "timed-out",
    `the ${name} (process ${pid}) is still ending after ${patience / 1000} s and goes on; its log is ${logFile}; tremplin down waits again`,
  );
}
