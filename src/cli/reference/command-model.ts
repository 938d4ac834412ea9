import type { EventEmitter } from "node:events";
import type { Argument, Command, Option } from "commander";

/** What is written at the place of a value. */
export type ValueKind = "file" | "folder" | "container" | "choice" | "other";

export interface ValueModel {
  /** As the help shows it, without brackets: `file`, `name=addr`. */
  readonly name: string;
  readonly kind: ValueKind;
  readonly choices: readonly string[];
}

export interface OptionModel {
  /** Each with its dashes. */
  readonly names: readonly string[];
  /** As the help shows them, with the value. */
  readonly flags: string;
  readonly description: string;
  /** Undefined for a switch. */
  readonly value: ValueModel | undefined;
}

export interface ArgumentModel extends ValueModel {
  /** As the help shows it, with brackets. */
  readonly term: string;
  readonly description: string;
  readonly isVariadic: boolean;
}

/** A command as the manual pages and the shells' completions describe it. */
export interface CommandModel {
  /** From `tremplin` on. */
  readonly path: readonly string[];
  readonly usage: string;
  readonly description: string;
  readonly arguments: readonly ArgumentModel[];
  readonly options: readonly OptionModel[];
  readonly commands: readonly CommandModel[];
  /** What the help says after all that. */
  readonly notes: string;
}

/** Describes a program of commander, with all that its help shows. */
export function modelOf(command: Command, parents: readonly string[] = []): CommandModel {
  const help = command.createHelp();
  const path = [...parents, command.name()];
  return {
    path,
    usage: command.usage(),
    description: command.description(),
    arguments: command.registeredArguments.map(argumentOf),
    options: help.visibleOptions(command).map((option) => optionOf(option, help.optionDescription(option))),
    commands: help
      .visibleCommands(command)
      .filter((each) => each.name() !== "help" || path.length === 1)
      .map((each) => (each.name() === "help" ? helpModel(each, path, command) : modelOf(each, path))),
    notes: notesOf(command),
  };
}

/** The command that shows the help of the others: its first argument is one of them. */
function helpModel(help: Command, path: readonly string[], program: Command): CommandModel {
  const model = modelOf(help, path);
  const choices = program
    .createHelp()
    .visibleCommands(program)
    .map((each) => each.name());
  const [first, ...rest] = model.arguments;
  return first ? { ...model, arguments: [{ ...first, kind: "choice", choices }, ...rest] } : model;
}

/** What was given to addHelpText: commander writes it only while it writes the whole help. */
function notesOf(command: Command): string {
  let notes = "";
  const write = (text: string): void => {
    notes += text;
  };
  // Its types leave out that it is one.
  (command as unknown as EventEmitter).emit("afterHelp", { error: false, command, write });
  return notes.trim();
}

function optionOf(option: Option, description: string): OptionModel {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const name = /[<[]([^>\]]*)[>\]]/.exec(option.flags)?.[1];
  const value = name === undefined ? undefined : valueModel(name, kindOf(name), option.argChoices);
  return { names, flags: option.flags, description, value };
}

function argumentOf(argument: Argument): ArgumentModel {
  const { variadic, required, description, argChoices } = argument;
  const name = argument.name();
  const text = `${name}${variadic ? "..." : ""}`;
  const term = required ? `<${text}>` : `[${text}]`;
  const isContainer = /\bcontainers?\b/.test(description) && !/\bnew container\b/.test(description);
  const kind = /^names?$/.test(name) && isContainer ? "container" : kindOf(name);
  return { ...valueModel(name, kind, argChoices), term, description, isVariadic: variadic };
}

function valueModel(name: string, kind: ValueKind, choices: readonly string[] = []): ValueModel {
  return { name, choices, kind: choices.length > 0 ? "choice" : kind };
}

function kindOf(name: string): ValueKind {
  if (/^(.*[|-])?(file|path)$/.test(name)) return "file";
  return /^(dir|folder)$/.test(name) ? "folder" : "other";
}

/** All commands, each before its subcommands. */
export function allCommands(model: CommandModel): CommandModel[] {
  return [model, ...model.commands.flatMap(allCommands)];
}
