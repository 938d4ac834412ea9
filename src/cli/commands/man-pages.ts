import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { version } from "../../daemon/version.ts";
import { allCommands, modelOf } from "../reference/command-model.ts";
import { manPage, pageName } from "../reference/man-page.ts";

/** `wholeProgram` loads every command. */
export function manPagesCommand(wholeProgram: () => Promise<Command>): Command {
  return new Command("man-pages")
    .argument("<dir>", "the folder for the pages; existing ones are replaced")
    .option("--date <date>", "the date that the pages bear", new Date().toISOString().slice(0, 10))
    .action(async (folder: string, { date }: { date: string }) => {
      const program = modelOf(await wholeProgram());
      await mkdir(folder, { recursive: true });
      for (const command of allCommands(program)) {
        if (command.path.at(-1) === "help") continue;
        await writeFile(join(folder, `${pageName(command)}.1`), manPage(command, program, { version, date }));
      }
    });
}
