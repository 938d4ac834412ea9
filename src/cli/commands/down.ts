import { Command } from "commander";
import { DEFAULT_RUN, RunFolder } from "../background/run-folder.ts";
import { stopProcess } from "../background/stop-process.ts";
import { wholeNumber } from "../flags/host-flags.ts";
import type { Io } from "../io.ts";
import { noProgress } from "../progress/progress.ts";
import { showProgress } from "../progress/show-progress.ts";

/** How long the host may take: it has nothing to finish. Milliseconds. */
const HOST_PATIENCE = 10_000;

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
  const daemon = await stopProcess(run.daemon, "SIGPWR", flags.timeout * 1000, progress, io);
  progress.step("host");
  const host = await stopProcess(run.host, "SIGTERM", HOST_PATIENCE, progress, io);
  return { daemon, host };
}
