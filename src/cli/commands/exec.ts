import { Command } from "commander";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { Io } from "../io.ts";
import { shell } from "./shell.ts";

interface Flags extends HostFlags {
  readonly user?: string;
}

/** A program without a terminal, also where this command has one: for scripts, whose output must not depend on that. */
export function execCommand(io: Io): Command {
  const command = new Command("exec")
    .argument("<name>", "the container, which must run", containerName)
    .argument("<command...>", "a program with its arguments; what follows it belongs to it")
    .option("--user <user>", "whose account to use (default: the primary user, or root where there is none)")
    .passThroughOptions();
  return withHostFlags(command, "none").action((name: string, args: string[], flags: Flags) =>
    shell(name, args, { ...flags, plain: true }, io),
  );
}
