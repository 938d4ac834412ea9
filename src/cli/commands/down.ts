import { Command } from "commander";
import { jsonLine } from "../../base/text.ts";
import type { RunFolder } from "../background/run-folder.ts";
import { stopProcess } from "../background/stop-process.ts";
import { wholeNumber } from "../flags/host-flags.ts";
import { type RunFlag, runFolderOf, withRunFlag } from "../flags/run-flag.ts";
import type { Io } from "../io.ts";
import { openProgress } from "../progress/open-progress.ts";

/** The host has nothing to finish. */
const HOST_TIMEOUT_MS = 10_000;

interface Flags extends RunFlag {
  readonly timeout: number;
  readonly json?: true;
}

export function downCommand(io: Io): Command {
  const command = withRunFlag(new Command("down"))
    .option(
      "--timeout <seconds>",
      "how long to wait until the containers and the engine have stopped",
      wholeNumber,
      120,
    )
    .option("--json", "print one JSON document");
  return command.action((flags: Flags) => down(flags, io));
}

async function down(flags: Flags, io: Io): Promise<void> {
  const run = await runFolderOf(flags);
  await using _alone = await run.lock();
  const result = await stopAll(run, flags, io);
  if (flags.json) io.out(jsonLine(result));
  else io.out(`daemon    ${result.daemon}\nhost      ${result.host}\n`);
}

async function stopAll(run: RunFolder, flags: Flags, io: Io): Promise<{ daemon: string; host: string }> {
  await using progress = openProgress("stopping", io, { json: flags.json === true });
  progress.update("containers, engine and daemon");
  const daemon = await stopProcess(run.daemon, "SIGPWR", flags.timeout * 1000, progress, io);
  progress.update("host");
  const host = await stopProcess(run.host, "SIGTERM", HOST_TIMEOUT_MS, progress, io);
  return { daemon, host };
}
