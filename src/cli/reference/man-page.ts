import { allCommands, type CommandModel } from "./command-model.ts";

/** The name of a command's page: `tremplin-machine-up`. */
export function pageName({ path }: CommandModel): string {
  return path.join("-");
}

/** The text of a page, without a macro of man(7) in it that was not meant. */
function plain(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replace(/^\./gm, "\\&.");
}

/** The page of a command, for man(1). `all` is the whole program, of which the first page lists every command. */
export function manPage(
  model: CommandModel,
  all: CommandModel,
  about: { version: string; date: string },
): string {
  const name = pageName(model);
  const isProgram = model.path.length === 1;
  return [
    `.TH "${plain(name.toUpperCase())}" 1 "${about.date}" "${plain(`tremplin ${about.version}`)}" "Tremplin"`,
    ".SH NAME",
    `${plain(name)} \\- ${plain(nameLine(model))}`,
    ".SH SYNOPSIS",
    `.B ${plain(model.path.join(" "))}`,
    plain(model.usage),
    ".SH DESCRIPTION",
    plain(sentence(model.description)),
    ...paragraphs(model.notes),
    ...section(
      "ARGUMENTS",
      model.arguments.flatMap(({ term, description }) => item(term, description)),
    ),
    ...section(
      "OPTIONS",
      model.options.flatMap(({ flags, description }) => item(flags, description)),
    ),
    ...section(
      "COMMANDS",
      model.commands.filter(isNotHelp).flatMap((each) => commandItem(each)),
    ),
    ...(isProgram ? programSections : exitSections),
    ".SH SEE ALSO",
    ...references(isProgram ? allCommands(all).slice(1).filter(isNotHelp) : relatives(model, all)),
    "",
  ].join("\n");
}

/** The line by which apropos(1) finds the page, which takes no sentence. */
function nameLine({ path, description }: CommandModel): string {
  return path.length === 1 ? "manage long-lived LXD and Incus containers" : description;
}

function isNotHelp({ path }: CommandModel): boolean {
  return path.at(-1) !== "help";
}

function sentence(text: string): string {
  const end = /[.!?]$/.test(text) ? "" : ".";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}

function paragraphs(text: string): string[] {
  return text === "" ? [] : text.split("\n\n").flatMap((each) => [".PP", plain(each)]);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

function item(term: string, description: string): string[] {
  return [".TP", `.B ${plain(term)}`, plain(description || "required")];
}

function commandItem(command: CommandModel): string[] {
  return [".TP", `.BR ${plain(pageName(command))} (1)`, plain(command.description)];
}

function relatives(model: CommandModel, all: CommandModel): CommandModel[] {
  const parents = allCommands(all).filter(
    ({ path }) => path.length < model.path.length && path.every((word, index) => word === model.path[index]),
  );
  return [...parents, ...model.commands.filter(isNotHelp)];
}

function references(pages: readonly CommandModel[]): string[] {
  return pages.map((page, index) => `.BR ${plain(pageName(page))} (1)${index < pages.length - 1 ? "," : ""}`);
}

const exitSections = [
  ".SH EXIT STATUS",
  "0 done, 1 failed, 2 wrong usage, 3 no such container, 4 the host or the guest is unreachable,",
  "5 busy with another operation, 130 interrupted.",
];

const programSections = [
  ...exitSections,
  ".SH ENVIRONMENT",
  ...item("TREMPLIN_HOST", "The address of the host, as --host."),
  ...item("TREMPLIN_TOKEN_FILE", "The file with the token of the host, as --token-file."),
  ...item(
    "TREMPLIN_TRUST",
    "The folder of the authority and its certificates, as --folder of tremplin trust.",
  ),
  ".SH FILES",
  ...item(
    "/run/tremplin/host.sock",
    "Where commands reach the host. Root and the members of the group tremplin may.",
  ),
  ...item(
    "/var/lib/tremplin",
    "The state of the daemon and the host: the engine with all containers, and the events.",
  ),
];
