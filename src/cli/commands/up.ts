import { Command } from "commander";
import { jsonLine } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { parseConsoleAddress } from "../../host/console/console-address.ts";
import { hostDefaults } from "../../host/options.ts";
import { formatAddress } from "../../transport/address.ts";
import { endOlder } from "../background/end-older.ts";
import {
  daemonArguments,
  type EnsureResult,
  ensureRunning,
  guestAnswers,
  hostAnswers,
  hostArguments,
  LOCAL_GUEST,
  type ProgramFlags,
} from "../background/launch.ts";
import { otherOptions } from "../background/other-options.ts";
import type { RunFolder } from "../background/run-folder.ts";
import { stopProcess } from "../background/stop-process.ts";
import { withEngineFlags } from "../flags/daemon-flags.ts";
import { DEFAULT_HOST } from "../flags/host-flags.ts";
import { type RunFlag, runFolderOf, withRunFlag } from "../flags/run-flag.ts";
import { findProblems, problemText } from "../host-client/find-problems.ts";
import { HostApi } from "../host-client/host-api.ts";
import { launchEngine } from "../host-client/launch-engine.ts";
import {
  type Restarted,
  remindOfStopped,
  restartContainers,
  runningContainers,
  untilStartedAgain,
} from "../host-client/restart-containers.ts";
import type { Outcome } from "../host-client/run-operation.ts";
import type { Session } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { openProgress } from "../progress/open-progress.ts";
import { engineText } from "../text/engine-text.ts";

/** The host has nothing to finish. */
const HOST_TIMEOUT_MS = 10_000;
const WITHOUT_ENGINE =
  "the host and the daemon run without an engine: tremplin up tries again, tremplin down stops them";

interface Flags extends ProgramFlags, RunFlag {
  readonly json?: true;
  readonly resetDatabase?: true;
}

export function upCommand(io: Io): Command {
  const command = withRunFlag(withEngineFlags(new Command("up")))
    .option(
      "--console <host:port>",
      `the address of the console, on this machine, or none (default: ${hostDefaults.console})`,
    )
    .option(
      "--reset-database",
      "stop all containers, give the engine a new database, restore every container into it and start those that ran",
    )
    .option("--json", "print one JSON line for each event, then one JSON document");
  return command.action((flags: Flags) => up(flags, io));
}

async function up(flags: Flags, io: Io): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new TremplinError("failed", "the engine and its network need root: run sudo tremplin up");
  }
  // A mistake would otherwise be in the log of the host alone.
  if (flags.console !== undefined) parseConsoleAddress(flags.console);
  const run = await runFolderOf(flags);
  await using _alone = await run.lock();
  using api = new HostApi(run.hostSocket, LOCAL_GUEST);
  const result = await startAll(api, run, flags, io);
  const host = formatAddress(run.hostSocket);
  if (flags.json) io.out(jsonLine({ ...result, host }));
  else io.out(resultText(result, host));
}

interface Result extends Partial<Restarted> {
  readonly programs: readonly EnsureResult[];
  readonly engine: { readonly state: string; readonly text: string };
  /** What is in the way of containers. */
  readonly problems: readonly { readonly problem: string; readonly advice: string }[];
}

async function startAll(api: HostApi, run: RunFolder, flags: Flags, io: Io): Promise<Result> {
  const json = flags.json === true;
  await using progress = openProgress("starting", io, { json });
  const program = [process.execPath, ...process.execArgv, process.argv[1] as string];

  const older = await endOlder(api, run, flags, progress, io);
  if (older) progress.print(older);
  progress.update("host");
  const group = await run.openToClients();
  const hostFor = (each: ProgramFlags) => hostArguments(run, each, group);
  const host = await ensureRunning(run.host, program, hostFor(flags), () => hostAnswers(api), { io });
  progress.update("daemon");
  const daemonFor = (each: ProgramFlags) => daemonArguments(run, each);
  const ensuring = ensureRunning(run.daemon, program, daemonFor(flags), () => guestAnswers(api), { io });
  const daemon = await ensuring.catch(async (thrown) => {
    // Without a daemon the host is of no use, and nobody knows that it was left.
    const isUseless = host.state === "started" && !(await run.daemon.findRunning());
    if (isUseless)
      await stopProcess(run.host, "SIGTERM", HOST_TIMEOUT_MS, progress, io).catch(() => undefined);
    throw thrown;
  });
  const remarks = [
    otherOptions(run.host, host, flags, hostFor),
    otherOptions(run.daemon, daemon, flags, daemonFor),
  ];
  for (const remark of remarks) if (remark) progress.print(remark);
  progress.update("engine");
  const session = { api, io, progress, json };
  const launching = launch(session, flags.resetDatabase === true);
  const { launched, ...containers } = await launching.catch((thrown) => {
    if (!io.interrupted.aborted) progress.print(WITHOUT_ENGINE);
    throw thrown;
  });
  const { engine } = await api.call(Guest.method.getStatus, {}, { signal: io.interrupted });
  const problems = (await findProblems(api, io.interrupted)) ?? [];
  for (const problem of problems) progress.print(problemText(problem));
  return {
    programs: [host, daemon],
    engine: { state: launched.text, text: engineText(engine) },
    problems: problems.map(({ problem, advice }) => ({ problem, advice })),
    ...containers,
  };
}

/** A reset stops all containers: those that ran run again, and where nobody knows which, it says how. */
async function launch(
  session: Session,
  reset: boolean,
): Promise<Partial<Restarted> & { readonly launched: Outcome }> {
  const { api, io, progress } = session;
  const running = reset ? await runningContainers(api, io.interrupted) : [];
  const launched = await launchEngine(session, reset);
  if (launched.remark) progress.print(launched.text);
  const again = await untilStartedAgain(session);
  if (!reset) return { launched, ...again };
  if (!running) await remindOfStopped(session);
  const left = (running ?? []).filter((name) => !again.restarted.includes(name));
  const { restarted, notRestarted } = await restartContainers(session, left);
  return { launched, restarted: [...again.restarted, ...restarted], notRestarted };
}

/** The state as JSON has it, in words. */
const stateText = { started: "started", "ran already": "already running" } as const;

function resultText({ programs, engine, restarted = [] }: Result, host: string): string {
  const lines = programs.map(({ name, state, record }) => {
    return `${name.padEnd(8)}  ${stateText[state]}${record ? ` (process ${record.pid})` : ""}`;
  });
  lines.push(`engine    ${engine.text}`);
  if (restarted.length > 0) lines.push(`running   ${restarted.join(", ")}, as before`);
  if (host !== DEFAULT_HOST) lines.push(`commands need --host ${host}`);
  return lines.map((line) => `${line}\n`).join("");
}
