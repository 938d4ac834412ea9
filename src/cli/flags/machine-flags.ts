import { type Command, Option } from "commander";
import { defaultMachines, MachineFolder } from "../../machine/machine-folder.ts";

/** What every command on a machine understands. */
export interface MachineFlags {
  readonly name: string;
  readonly folder: string;
}

export function withMachineFlags(command: Command): Command {
  return command
    .option("--name <name>", "which machine; the host knows its guest by this name too", "default")
    .addOption(
      new Option("--folder <dir>", "where machines lie").env("TREMPLIN_MACHINES").default(defaultMachines()),
    );
}

/** Throws `invalid` where it cannot be one. */
export function machineFolder({ name, folder }: MachineFlags): MachineFolder {
  return new MachineFolder(name, folder);
}
