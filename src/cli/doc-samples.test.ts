import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { RecordedIo } from "../../test/support/command-line.ts";
import { repository } from "../../test/support/repository.ts";
import { createProgram } from "./program.ts";
import { type CommandModel, modelOf } from "./reference/command-model.ts";

/** What is written as a command line: in code, and behind the prompts of samples. */
function commandLines(text: string): string[] {
  const inline = [...text.matchAll(/`(?:sudo )?(?:bin\/)?tremplin (-?[^`\n]*)`/g)];
  const samples = [...text.matchAll(/^ {4}(?:\w*\$ +)(?:sudo )?(?:bin\/)?tremplin ((?:.*\\\n)*.*)$/gm)];
  return [...inline, ...samples].map(([, line = ""]) => line.replaceAll("\\\n", " "));
}

/** Why a line cannot be one of the program: a command or an option that it does not have. */
function mistakeIn(line: string, program: CommandModel): string | undefined {
  const [own = ""] = line.split(/ (?:#|\||&&|>|;|<)|;/);
  const words = own
    .trim()
    .split(/\s+/)
    .flatMap((word) =>
      word
        .replace(/[[\]()….,]+/g, " ")
        .trim()
        .split(" "),
    );
  let command = program;
  let rest = words.filter((word) => word !== "");
  // A line of ChromiumOS, or a name of no command.
  if (!/^[a-z]/.test(rest[0] ?? "") || rest[0] === "help") return undefined;
  for (let found: CommandModel | undefined = program; found; ) {
    command = found;
    found = command.commands.find(({ path }) => path.at(-1) === rest[0]?.replace(/\\?\|.*/, ""));
    if (found) rest = rest.slice(1);
  }
  if (command === program) return `there is no command ${rest[0]}`;
  const end = rest.indexOf("--");
  const options = rest.slice(0, end < 0 ? undefined : end).filter((word) => /^--[a-z]/.test(word));
  const known = command.options.flatMap(({ names }) => names);
  const isForwarded = /^(shell|exec)$/.test(command.path[1] ?? "");
  const unknown = options.map((word) => word.split("=")[0] ?? "").find((name) => !known.includes(name));
  return unknown === undefined || isForwarded ? undefined : `${command.path.join(" ")} has no ${unknown}`;
}

test("every command line in the documentation has commands and options that exist", async () => {
  const program = modelOf(await createProgram("all", new RecordedIo()));
  const folder = join(repository, "docs");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".md"));
  const files = ["README.md", "CONTRIBUTING.md", ...names.map((name) => join("docs", name))];
  const mistakes: string[] = [];
  let count = 0;
  for (const file of files) {
    for (const line of commandLines(await readFile(join(repository, file), "utf8"))) {
      count++;
      const mistake = mistakeIn(line, program);
      if (mistake !== undefined) mistakes.push(`${file}: tremplin ${line}: ${mistake}`);
    }
  }
  assert.deepEqual(mistakes, []);
  assert.ok(count > 100, `only ${count} command lines were found`);
});

test("a command line with a mistake is found", async () => {
  const program = modelOf(await createProgram("all", new RecordedIo()));
  const lines = commandLines(
    "`tremplin nope web`\n\n    $ sudo bin/tremplin create web --nope x   # a sample\n",
  );
  assert.deepEqual(
    lines.map((line) => mistakeIn(line, program)),
    ["there is no command nope", "tremplin create has no --nope"],
  );
});
