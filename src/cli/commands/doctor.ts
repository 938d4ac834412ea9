import { Command } from "commander";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { daemonDefaults } from "../../daemon/options.ts";
import { DEFAULT_RUN, RunFolder } from "../background/run-folder.ts";
import type { Finding } from "../doctor/finding.ts";
import { setupChecks } from "../doctor/setup-checks.ts";
import { systemChecks } from "../doctor/system-checks.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly run: string;
  readonly state: string;
}

const marks: Readonly<Record<Finding["state"], string>> = { good: "ok  ", note: "note", bad: "BAD " };

export function doctorCommand(io: Io): Command {
  const command = new Command("doctor")
    .option("--run <dir>", "the --run folder of tremplin up", DEFAULT_RUN)
    .option("--state <dir>", "the --state folder of tremplin up", daemonDefaults.state);
  return withHostFlags(command).action((flags: Flags) => doctor(flags, io));
}

async function doctor(flags: Flags, io: Io): Promise<void> {
  const setup = setupChecks(new RunFolder(flags.run), flags, io.interrupted);
  const findings = [...(await systemChecks(flags.state)), ...(await setup)];
  io.out(flags.json ? jsonLine({ findings }) : findings.map(text).join(""));
  const count = findings.filter(({ state }) => state === "bad").length;
  if (count > 0) throw new TremplinError("failed", `${count} of ${findings.length} checks failed`);
}

function text({ name, state, found, advice }: Finding): string {
  const line = `${marks[state]}  ${name.padEnd(16)}  ${plainText(found)}\n`;
  return advice ? `${line}      ${" ".repeat(16)}  -> ${advice}\n` : line;
}
