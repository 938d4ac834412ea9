import { dirname } from "node:path";
import { type Command, Option } from "commander";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { diskUse } from "../../../machine/container-disk.ts";
import { defaultMachines, MachineFolder } from "../../../machine/machine-folder.ts";
import { RunFolder } from "../../background/run-folder.ts";

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

/** Throws `not-found` for a machine that was never built. */
export async function checkMachineExists({ name, path, disk, run }: MachineFolder): Promise<void> {
  if ((await diskUse(disk)) || (await new RunFolder(run).machine.record())) return;
  throw new TremplinError(
    "not-found",
    `there is no machine ${name} in ${dirname(path)}; tremplin machine up builds it`,
  );
}
