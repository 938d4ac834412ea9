import { Command } from "commander";
import type { Io } from "./io.ts";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<(io: Io) => Command>;
}

/** Every command with the line that help shows. Its file is loaded only when it is the one that is asked for. */
const commands: Readonly<Record<string, Entry>> = {};

/** The program with the wanted command loaded and the others known by their summaries. */
export async function createProgram(wanted: string | undefined, io: Io): Promise<Command> {
  const program = new Command("tremplin")
    .description("Linux containers with a person's set-up, told step by step.")
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError("(--help shows what is understood)")
    .helpCommand("help [command]", "show what a command understands");
  for (const [name, { summary, load }] of Object.entries(commands)) {
    if (name !== wanted) {
      program.command(name).summary(summary).description(summary);
      continue;
    }
    const create = await load();
    program.addCommand(create(io).copyInheritedSettings(program).summary(summary).description(summary));
  }
  return program;
}
