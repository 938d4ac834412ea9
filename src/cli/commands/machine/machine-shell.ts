import { spawn } from "node:child_process";
import { once } from "node:events";
import { Command } from "commander";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { sshCommand } from "../../../machine/ssh-command.ts";
import { RunFolder } from "../../background/run-folder.ts";
import type { Io } from "../../io.ts";
import { checkMachineExists, type MachineFlags, machineFolder } from "./machine-flags.ts";

/** Ends with the exit status of the program. */
export function machineShellCommand(_io: Io): Command {
  return new Command("shell")
    .description("open a root shell in the machine, or run one program")
    .argument("[command...]", "a program with its arguments (default: a shell)")
    .passThroughOptions()
    .action(machineShell);
}

async function machineShell(args: string[], flags: MachineFlags): Promise<void> {
  const folder = machineFolder(flags);
  await checkMachineExists(folder);
  const settings = await folder.settings();
  if (!settings || !(await new RunFolder(folder.run).machine.findRunning())) {
    throw new TremplinError("unavailable", `machine ${folder.name} is not running: run tremplin machine up`);
  }
  const command = args[0] === "--" ? args.slice(1) : args;
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const [ssh, ...sshArgs] = sshCommand(folder, settings, { command, terminal }) as [string, ...string[]];
  const child = spawn(ssh, sshArgs, { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
}
