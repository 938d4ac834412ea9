import { spawn } from "node:child_process";
import { once } from "node:events";
import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { shellWords } from "../../machine/shell-words.ts";
import { RunFolder } from "../background/run-folder.ts";
import { type MachineFlags, machineFolder, withMachineFlags } from "../flags/machine-flags.ts";
import type { Io } from "../io.ts";

/** A root shell in the machine, or one program; it ends with the program's exit status. */
export function machineShellCommand(_io: Io): Command {
  return withMachineFlags(new Command("shell").description("a root shell in the machine, or one program"))
    .argument("[command...]", "a program and its arguments instead of the shell")
    .passThroughOptions()
    .action(machineShell);
}

async function machineShell(words: string[], flags: MachineFlags): Promise<void> {
  const folder = machineFolder(flags);
  const settings = await folder.settings();
  if (!settings || !(await new RunFolder(folder.run).machine.living())) {
    throw new TremplinError("unavailable", `machine ${folder.name} does not run: run tremplin machine up`);
  }
  const command = words[0] === "--" ? words.slice(1) : words;
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const [ssh, ...args] = shellWords(folder, settings, { command, terminal }) as [string, ...string[]];
  const child = spawn(ssh, args, { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
}
