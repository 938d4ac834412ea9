import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { formatAddress } from "../../transport/address.ts";
import {
  daemonArguments,
  type Ensured,
  ensure,
  guestAnswers,
  hostAnswers,
  hostArguments,
  LOCAL_GUEST,
} from "../background/launch.ts";
import { DEFAULT_RUN, RunFolder } from "../background/run-folder.ts";
import { type EngineFlags, withEngineFlags } from "../flags/daemon-flags.ts";
import { DEFAULT_HOST } from "../flags/host-flags.ts";
import { HostApi } from "../host-client/host-api.ts";
import { launchEngine } from "../host-client/launch-engine.ts";
import type { Io } from "../io.ts";
import { noProgress } from "../progress/progress.ts";
import { showProgress } from "../progress/show-progress.ts";
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
      "stop the containers, give the engine a new database and bring every container back into it",
    )
    .option("--json", "one JSON document, after one JSON line for each step");
  return command.action((flags: Flags) => up(flags, io));
}

async function up(flags: Flags, io: Io): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new TremplinError("failed", "the engine and its network need root: run sudo tremplin up");
  }
  const run = new RunFolder(flags.run);
  await using _alone = await run.hold();
  using api = new HostApi(run.hostSocket, LOCAL_GUEST);
  const result = await bringUp(api, run, flags, io);
  const host = formatAddress(run.hostSocket);
  if (flags.json) io.out(`${JSON.stringify({ ...result, host })}\n`);
  else io.out(resultText(result, host));
}

interface Result {
  readonly programs: readonly Ensured[];
  readonly engine: { readonly state: string; readonly text: string };
}

async function bringUp(api: HostApi, run: RunFolder, flags: Flags, io: Io): Promise<Result> {
  const json = flags.json === true;
  await using progress = json ? noProgress : showProgress("going up", io);
  const program = [process.execPath, ...process.execArgv, process.argv[1] as string];

  progress.step("host");
  const host = await ensure(run.host, program, hostArguments(run, flags), () => hostAnswers(api), { io });
  progress.step("daemon");
  const words = daemonArguments(run, flags);
  const daemon = await ensure(run.daemon, program, words, () => guestAnswers(api), { io });
  if (daemon.record && daemon.record.words.join(" ") !== words.join(" ")) {
    const others = daemon.record.words.slice(1).join(" ");
    progress.say(`the daemon runs with other options, and keeps them until tremplin down: ${others}`);
  }
  progress.step("engine");
  const state = await launchEngine({ api, io, progress, json }, flags.resetDatabase === true);
  // What the engine says although it runs: containers that did not come back.
  if (state.includes(": ")) progress.say(state);
  const { engine } = await api.call(Guest.method.getStatus, {}, { signal: io.interrupted });
  return { programs: [host, daemon], engine: { state, text: engineText(engine) } };
}

function resultText({ programs, engine }: Result, host: string): string {
  const lines = programs.map(({ name, state, record }) => {
    return `${name.padEnd(8)}  ${state}${record ? ` (process ${record.pid})` : ""}`;
  });
  lines.push(`engine    ${engine.text}`);
  if (host !== DEFAULT_HOST) lines.push(`commands find it with --host ${host}`);
  return lines.map((line) => `${line}\n`).join("");
}
