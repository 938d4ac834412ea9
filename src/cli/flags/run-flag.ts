import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { diskUse } from "../../machine/container-disk.ts";
import { parseAddress } from "../../transport/address.ts";
import { DEFAULT_RUN, RunFolder } from "../background/run-folder.ts";

export interface RunFlag {
  readonly run?: string;
}

export function withRunFlag(command: Command): Command {
  return command.option(
    "--run <dir>",
    `the folder of sockets, pid files and logs (default: that of TREMPLIN_HOST, or ${DEFAULT_RUN})`,
  );
}

/**
 * The folder of `up` and `down`: without --run that of the host that all other commands use. Throws `invalid` where that
 * is none of theirs.
 */
export async function runFolderOf({ run }: RunFlag, host = process.env.TREMPLIN_HOST): Promise<RunFolder> {
  if (run !== undefined || !host) return new RunFolder(run ?? DEFAULT_RUN);
  const address = parseAddress(host);
  if (address.kind !== "unix" || basename(address.path) !== "host.sock") {
    throw new TremplinError(
      "invalid",
      `TREMPLIN_HOST is ${host}, which is no host of tremplin up: name the folder with --run, such as --run ${DEFAULT_RUN}`,
    );
  }
  const folder = dirname(address.path);
  if (await diskUse(join(dirname(folder), "containers.img"))) {
    throw new TremplinError(
      "invalid",
      `TREMPLIN_HOST is the host of a machine: use tremplin machine up and down for it, or name the folder of this computer's with --run ${DEFAULT_RUN}`,
    );
  }
  return new RunFolder(folder);
}
