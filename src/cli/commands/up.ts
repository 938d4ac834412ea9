import { Command } from "commander";
import { jsonLine } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { formatAddress } from "../../transport/address.ts";
import {
  daemonArguments,
  type EnsureResult,
  ensureRunning,
  guestAnswers,
  hostAnswers,
  hostArguments,
  LOCAL_GUEST,
} from "../background/launch.ts";
import { DEFAULT_RUN, RunFolder } from "../background/run-folder.ts";
import { type EngineFlags, withEngineFlags } from "../flags/daemon-flags.ts";
import { DEFAULT_HOST } from "../flags/host-flags.ts";
import { findProblems, problemText } from "../host-client/find-problems.ts";
import { HostApi } from "../host-client/host-api.ts";
import { launchEngine } from "../host-client/launch-engine.ts";
import type { Io } from "../io.ts";
import { openProgress } from "../progress/open-progress.ts";
import { engineText } from "../text/engine-text.ts";

interface Flags extends EngineFlags {
  readonly run: string;
  readonly json?: true;
  readonly resetDatabase?: true;
}

export function upCommand(io: Io): Command {
  const command = withEngineFlags(new Command("up"))
    .option("--run <dir>", "the folder of sockets, pid files and logs", DEFAULT_RUN)
    .option(
      "--reset-database",
      "stop all containers, give the engine a new database and restore every container into it",
    )
    .option("--json", "print one JSON line for each event, then one JSON document");
  return command.action((flags: Flags) => up(flags, io));
}

async function up(flags: Flags, io: Io): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new TremplinError("failed", "the engine and its network need root: run sudo tremplin up");
  }
  const run = new RunFolder(flags.run);
  await using _alone = await run.lock();
  using api = new HostApi(run.hostSocket, LOCAL_GUEST);
  const result = await startAll(api, run, flags, io);
  const host = formatAddress(run.hostSocket);
  if (flags.json) io.out(jsonLine({ ...result, host }));
  else io.out(resultText(result, host));
}

interface Result {
  readonly programs: readonly EnsureResult[];
  readonly engine: { readonly state: string; readonly text: string };
  /** What is in the way of containers. */
  readonly problems: readonly { readonly problem: string; readonly advice: string }[];
}

async function startAll(api: HostApi, run: RunFolder, flags: Flags, io: Io): Promise<Result> {
  const json = flags.json === true;
  await using progress = openProgress("starting", io, { json });
  const program = [process.execPath, ...process.execArgv, process.argv[1] as string];

  progress.update("host");
  const host = await ensureRunning(run.host, program, hostArguments(run, flags), () => hostAnswers(api), {
    io,
  });
  progress.update("daemon");
  const args = daemonArguments(run, flags);
  const daemon = await ensureRunning(run.daemon, program, args, () => guestAnswers(api), { io });
  if (daemon.record && daemon.record.words.join(" ") !== args.join(" ")) {
    const current = daemon.record.words.slice(1).join(" ");
    progress.print(`the daemon runs with other options until tremplin down: ${current}`);
  }
  progress.update("engine");
  const launched = await launchEngine({ api, io, progress, json }, flags.resetDatabase === true);
  if (launched.remark) progress.print(launched.text);
  const { engine } = await api.call(Guest.method.getStatus, {}, { signal: io.interrupted });
  const problems = (await findProblems(api, io.interrupted)) ?? [];
  for (const problem of problems) progress.print(problemText(problem));
  return {
    programs: [host, daemon],
    engine: { state: launched.text, text: engineText(engine) },
    problems: problems.map(({ problem, advice }) => ({ problem, advice })),
  };
}

/** The state as JSON has it, in words. */
const stateText = { started: "started", "ran already": "already running" } as const;

function resultText({ programs, engine }: Result, host: string): string {
  const lines = programs.map(({ name, state, record }) => {
    return `${name.padEnd(8)}  ${stateText[state]}${record ? ` (process ${record.pid})` : ""}`;
  });
  lines.push(`engine    ${engine.text}`);
  if (host !== DEFAULT_HOST) lines.push(`commands need --host ${host}`);
  return lines.map((line) => `${line}\n`).join("");
}
