import { type Command, Option } from "commander";
import { defaultMachines, MachineFolder } from "../../../machine/machine-folder.ts";

/** The flags of every machine command. */
export interface MachineFlags {
  readonly name: string;
  readonly folder: string;
}

export function withMachineFlags(command: Command): Command {
  return command
    .option("--name <name>", "which machine; also the host's name for its guest", "default")
    .addOption(
      new Option("--folder <dir>", "the folder of all machines")
        .env("TREMPLIN_MACHINES")
        .default(defaultMachines()),
    );
}

/** Throws `invalid` for a name or a folder that cannot be used. */
export function machineFolder({ name, folder }: MachineFlags): MachineFolder {
  return new MachineFolder(name, folder);
}
