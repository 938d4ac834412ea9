import { Command } from "commander";
import type { Io } from "../io.ts";
import { machineDownCommand } from "./machine-down.ts";
import { machineShellCommand } from "./machine-shell.ts";
import { machineStatusCommand } from "./machine-status.ts";
import { machineUpCommand } from "./machine-up.ts";

export function machineCommand(io: Io): Command {
  const command = new Command("machine").enablePositionalOptions();
  for (const each of [machineUpCommand, machineDownCommand, machineStatusCommand, machineShellCommand]) {
    command.addCommand(each(io).copyInheritedSettings(command));
  }
  return command;
}
