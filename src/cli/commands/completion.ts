import { Argument, Command } from "commander";
import type { Io } from "../io.ts";
import { bashCompletion } from "../reference/bash-completion.ts";
import { type CommandModel, modelOf } from "../reference/command-model.ts";
import { fishCompletion } from "../reference/fish-completion.ts";
import { zshCompletion } from "../reference/zsh-completion.ts";

const scripts: Readonly<Record<string, (program: CommandModel) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `wholeProgram` loads every command. */
export function completionCommand(io: Io, wholeProgram: () => Promise<Command>): Command {
  return new Command("completion")
    .addArgument(new Argument("<shell>", "the shell that reads the script").choices(Object.keys(scripts)))
    .addHelpText("after", "\nFor example in ~/.bashrc: source <(tremplin completion bash)")
    .action(async (shell: keyof typeof scripts) => {
      io.out(scripts[shell]?.(modelOf(await wholeProgram())) ?? "");
    });
}
