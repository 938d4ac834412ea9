import { allCommands, type CommandModel, type OptionModel, type ValueModel } from "./command-model.ts";

/** The script with which fish completes the program's command lines. */
export function fishCompletion(program: CommandModel): string {
  const commands = allCommands(program);
  return `# Completion of tremplin for fish, made by: tremplin completion fish
function __tremplin_containers
    tremplin list --json 2>/dev/null | string match --all --regex --groups-only '"name":"([A-Za-z0-9-]*)"'
end

# Prints the command that the command line names so far, and how many arguments of it there are.
function __tremplin_at
    set -l at tremplin
    set -l count 0
    set -l option
    for word in (commandline -opc)[2..]
        if test -n "$option"
            set option
            continue
        end
        switch "$at $word"
            case ${commands.flatMap(optionsWithValues).map(quote).join(" ")}
                set option $word
            case '* -*'
            case ${commands
              .slice(1)
              .map(({ path }) => quote(path.join(" ")))
              .join(" ")}
                set at "$at $word"
            case '*'
                set count (math $count + 1)
        end
    end
    echo "$at $count"
end

function __tremplin_in
    string match --quiet -- "$argv[1] *" (__tremplin_at)
end

function __tremplin_argument
    test (__tremplin_at) = "$argv[1]"
end

complete --command tremplin --no-files
${commands.flatMap(completions).join("\n")}
`;
}

function optionsWithValues({ path, options }: CommandModel): string[] {
  return options.flatMap(({ names, value }) => (value ? names.map((name) => [...path, name].join(" ")) : []));
}

function completions({ path, options, commands, arguments: values }: CommandModel): string[] {
  const at = path.join(" ");
  const condition = (test: string, place: string): string => `-n ${quote(`${test} "${place}"`)}`;
  return [
    ...commands.map(
      (each) =>
        `${COMPLETE} ${condition("__tremplin_argument", `${at} 0`)} -a ${quote(each.path.at(-1) as string)} -d ${quote(each.description)}`,
    ),
    ...options.map((option) => `${COMPLETE} ${isDirectlyIn(at, commands)} ${optionFlags(option)}`),
    ...values.flatMap((value, index) => {
      const place = value.isVariadic
        ? condition("__tremplin_in", at)
        : condition("__tremplin_argument", `${at} ${index}`);
      const action = valueFlags(value);
      return action ? [`${COMPLETE} ${place} ${action}`] : [];
    }),
  ];
}

/** A command of its own name alone is also the beginning of its subcommands' names. */
function isDirectlyIn(at: string, commands: readonly CommandModel[]): string {
  const test = commands.length > 0 ? `__tremplin_argument "${at} 0"` : `__tremplin_in "${at}"`;
  return `-n ${quote(test)}`;
}

const COMPLETE = "complete -c tremplin";

function optionFlags({ names, description, value }: OptionModel): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const action = value && (valueFlags(value) ?? "");
  const takes = value ? ` -r ${action || "-f"}` : "";
  return `${flags.join(" ")}${takes} -d ${quote(description)}`;
}

function valueFlags({ kind, choices }: ValueModel): string | undefined {
  switch (kind) {
    case "choice":
      return `-f -a ${quote(choices.join(" "))}`;
    case "container":
      return "-f -a '(__tremplin_containers)'";
    case "file":
      return "-F";
    case "folder":
      return "-f -a '(__fish_complete_directories)'";
    case "other":
      return undefined;
  }
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
