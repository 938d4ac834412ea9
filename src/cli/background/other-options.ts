import { Command } from "commander";
import { type EngineFlags, withEngineFlags } from "../flags/daemon-flags.ts";
import type { BackgroundProcess } from "./background-process.ts";
import type { EnsureResult, ProgramFlags } from "./launch.ts";

/** What to say where a program runs with other options than those of this command: those have no effect on it. */
export function otherOptions(
  { name, isService }: Pick<BackgroundProcess, "name" | "isService">,
  { record }: Pick<EnsureResult, "record">,
  flags: ProgramFlags,
  argumentsFor: (flags: ProgramFlags) => readonly string[],
): string | undefined {
  const wanted = argumentsFor(flags);
  if (isService) {
    const defaults = withEngineFlags(new Command()).parse([], { from: "user" }).opts<EngineFlags>();
    if (isSame(wanted, argumentsFor(defaults))) return undefined;
    const unit = name === "daemon" ? "tremplin.service" : `tremplin-${name}.service`;
    return `the options of ${unit} count, not those of this command: change them with systemctl edit ${unit}`;
  }
  if (!record || isSame(record.words, wanted)) return undefined;
  return `the ${name} runs with other options until tremplin down: ${record.words.slice(1).join(" ")}`;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.join("\0") === other.join("\0");
}
