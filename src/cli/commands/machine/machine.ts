import { Command } from "commander";
import type { Io } from "../../io.ts";
import { machineDownCommand } from "./machine-down.ts";
import { withMachineFlags } from "./machine-flags.ts";
import { machineShellCommand } from "./machine-shell.ts";
import { machineStatusCommand } from "./machine-status.ts";
import { machineUpCommand } from "./machine-up.ts";

export function machineCommand(io: Io): Command {
  const command = new Command("machine").enablePositionalOptions();
  for (const create of [machineUpCommand, machineDownCommand, machineStatusCommand, machineShellCommand]) {
    command.addCommand(withMachineFlags(create(io)));
  }
  return command;
}
