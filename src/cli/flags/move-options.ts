import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { withHostFlags } from "./host-flags.ts";

type Words = readonly string[];

/** Commands whose arguments end with a program and its own options. */
const PROGRAM_COMMANDS: ReadonlySet<string> = new Set(["shell", "exec"]);

/**
 * Moves options that all commands with a host take (`--host`, `--json` ...) from before the command to behind it, where
 * the command reads them. Other options before it, such as `--version`, stay.
 */
export function moveGlobalOptions(words: Words): Words {
  const end = endOfOptions(withHostFlags(new Command()), words);
  const command = words[end];
  if (end === 0 || command === undefined || command.startsWith("-")) return words;
  return [command, ...words.slice(0, end), ...words.slice(end + 1)];
}

/** Does the same between a command and its subcommand, and between the name of a container and a program for it. */
export function moveOptionsOf(command: Command, words: Words): Words {
  const [name, ...rest] = words as [string, ...string[]];
  if (command.commands.length > 0) return [name, ...moveGlobalOptions(rest)];
  if (PROGRAM_COMMANDS.has(command.name())) return [name, ...moveBeforeName(command, rest)];
  return words;
}

/** The words of a command line that are not of a program in a container, as far as they are known to be ours. */
export function ownWords(words: Words, command?: Command): Words {
  if (command && PROGRAM_COMMANDS.has(command.name()))
    return words.slice(0, 1 + endOfOptions(command, words.slice(1)));
  const end = words.indexOf("--");
  return end < 0 ? words : words.slice(0, end);
}

/** What follows the program belongs to it; what stands before it is ours. */
function moveBeforeName(command: Command, words: Words): Words {
  const at = endOfOptions(command, words);
  const container = words[at];
  if (container === undefined || container.startsWith("-")) return words;
  const rest = words.slice(at + 1);
  const count = endOfOptions(command, rest);
  const [next = ""] = rest.slice(count);
  if (next.startsWith("-") && next !== "--" && next !== "--help" && next !== "-h") {
    throw new TremplinError(
      "invalid",
      `${next} is no option of tremplin ${command.name()}; a program with such a name goes behind --: tremplin ${command.name()} ${container} -- ${next}`,
    );
  }
  const isHelp = next === "--help" || next === "-h";
  return [
    ...words.slice(0, at),
    ...rest.slice(0, count),
    ...(isHelp ? [next] : []),
    container,
    ...rest.slice(count),
  ];
}

/** How many of the first words are options of a command, with their values. */
function endOfOptions({ options }: Command, words: Words): number {
  let end = 0;
  for (;;) {
    const [flag, value] = (words[end] ?? "").split("=", 2);
    const option = options.find(({ long, short }) => long === flag || short === flag);
    if (!option || flag === "") return end;
    end += (option.required || option.optional) && value === undefined ? 2 : 1;
  }
}
