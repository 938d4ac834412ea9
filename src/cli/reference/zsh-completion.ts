import {
  type ArgumentModel,
  allCommands,
  type CommandModel,
  type OptionModel,
  type ValueModel,
} from "./command-model.ts";

/** The script with which zsh completes the program's command lines. */
export function zshCompletion(program: CommandModel): string {
  return `#compdef tremplin
# Completion of tremplin for zsh, made by: tremplin completion zsh
_tremplin_containers() {
  local -a containers
  containers=(\${(f)"$(tremplin list --json 2>/dev/null | grep -o '"name":"[A-Za-z0-9-]*"' | cut -d'"' -f4)"})
  compadd -a containers
}

${allCommands(program).map(commandFunction).join("\n")}
# In a folder of $fpath the file is the function; read by source or eval it defines it.
if [ "$funcstack[1]" = _tremplin ]; then _tremplin "$@"; else compdef _tremplin tremplin; fi
`;
}

function functionName({ path }: CommandModel): string {
  return `_${path.join("_").replaceAll("-", "_")}`;
}

function commandFunction(command: CommandModel): string {
  const { options, commands, arguments: values } = command;
  const specs = options.flatMap(optionSpecs);
  if (commands.length === 0) {
    const lines = [...specs, ...values.map(argumentSpec)];
    return `${functionName(command)}() {\n  _arguments -S :${lines.map((line) => ` \\\n    ${line}`).join("")}\n}\n`;
  }
  const lines = [...specs, quote("1: :->command"), quote("*:: :->rest")];
  const described = commands.map(({ path, description }) =>
    quote(`${escapeColons(path.at(-1) as string)}:${escapeColons(description)}`),
  );
  const cases = commands.map((each) => `        ${each.path.at(-1)}) ${functionName(each)} ;;`);
  return `${functionName(command)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C -S :${lines.map((line) => ` \\\n    ${line}`).join("")}
  case $state in
    command)
      local -a commands
      commands=(${described.map((each) => `\n        ${each}`).join("")}
      )
      _describe command commands
      ;;
    rest)
      case $words[1] in
${cases.join("\n")}
      esac
      ;;
  esac
}
`;
}

function optionSpecs({ names, description, value }: OptionModel): string[] {
  const text = escapeBrackets(description);
  return names.map((name) => {
    if (!value) return quote(`${name}[${text}]`);
    const joint = name.startsWith("--") ? "=" : "+";
    return quote(`*${name}${joint}[${text}]:${escapeColons(value.name)}:${action(value)}`);
  });
}

function argumentSpec(argument: ArgumentModel): string {
  const position = argument.isVariadic ? "*" : "";
  const optional = argument.term.startsWith("[") && !argument.isVariadic ? ":" : "";
  return quote(`${position}:${optional}${escapeColons(argument.name)}:${action(argument)}`);
}

function action({ kind, choices }: ValueModel): string {
  switch (kind) {
    case "choice":
      return `(${choices.join(" ")})`;
    case "container":
      return "_tremplin_containers";
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "other":
      return " ";
  }
}

function escapeColons(text: string): string {
  return text.replace(/[\\:]/g, "\\$&");
}

function escapeBrackets(text: string): string {
  return text.replace(/[\\:[\]]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
