import { allCommands, type CommandModel, type ValueModel } from "./command-model.ts";

/** The script with which bash completes the program's command lines. */
export function bashCompletion(program: CommandModel): string {
  const commands = allCommands(program);
  return `# Completion of tremplin for bash, made by: tremplin completion bash
_tremplin_containers() {
  tremplin list --json 2>/dev/null | grep -o '"name":"[A-Za-z0-9-]*"' | cut -d'"' -f4
}

_tremplin() {
  local line=\${COMP_LINE:0:COMP_POINT} at=tremplin count=0 option= word
  local -a words
  read -ra words <<<"$line"
  local current=
  [[ $line == *[[:space:]] ]] || { current=\${words[-1]}; unset 'words[-1]'; }
  for word in "\${words[@]:1}"; do
    if [ -n "$option" ]; then option=; continue; fi
    case "$at $word" in
${arm(commands.flatMap(optionsWithValues), "option=$word")}
      *" -"*) ;;
${arm(
  commands.slice(1).map(({ path }) => path),
  'at="$at $word"',
)}
      *) count=$((count + 1)) ;;
    esac
  done
  local choices= files=
  if [ -n "$option" ]; then
    case "$at $option" in
${commands.flatMap(valueArms).join("\n")}
    esac
  elif [[ $current == -* ]]; then
    case $at in
${commands
  .map(({ path, options }) =>
    choiceArm(
      quote(path),
      options.flatMap(({ names }) => names),
    ),
  )
  .join("\n")}
    esac
  else
    case "$at $count" in
${commands.flatMap(argumentArms).join("\n")}
    esac
  fi
  COMPREPLY=($(compgen \${files:+-A $files} -W "$choices" -- "$current"))
  if [ -n "$files" ]; then compopt -o filenames 2>/dev/null; fi
}
complete -F _tremplin tremplin
`;
}

/** A pattern of case that stands for these words. No word of a command has a quote in it. */
function quote(words: readonly string[]): string {
  return `"${words.join(" ")}"`;
}

function arm(patterns: readonly (readonly string[])[], action: string): string {
  return `      ${patterns.map(quote).join(" | ")}) ${action} ;;`;
}

function optionsWithValues({ path, options }: CommandModel): string[][] {
  return options.flatMap(({ names, value }) => (value ? names.map((name) => [...path, name]) : []));
}

function valueArms({ path, options }: CommandModel): string[] {
  return options.flatMap(({ names, value }) => {
    const action = value && valueAction(value);
    if (!action) return [];
    return [`      ${names.map((name) => quote([...path, name])).join(" | ")}) ${action} ;;`];
  });
}

function choiceArm(pattern: string, choices: readonly string[]): string {
  return `      ${pattern}) choices='${choices.join(" ")}' ;;`;
}

function argumentArms({ path, commands, arguments: values }: CommandModel): string[] {
  const arms = values.flatMap((value, index) => {
    const action = valueAction(value);
    const pattern = value.isVariadic ? `"${path.join(" ")} "*` : quote([...path, String(index)]);
    return action ? [`      ${pattern}) ${action} ;;`] : [];
  });
  if (commands.length === 0) return arms;
  return [
    choiceArm(
      quote([...path, "0"]),
      commands.map((each) => each.path.at(-1) as string),
    ),
    ...arms,
  ];
}

function valueAction({ kind, choices }: ValueModel): string | undefined {
  switch (kind) {
    case "choice":
      return `choices='${choices.join(" ")}'`;
    case "container":
      return 'choices="$(_tremplin_containers)"';
    case "file":
      return "files=file";
    case "folder":
      return "files=directory";
    case "other":
      return undefined;
  }
}
