import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import * as z from "zod";
import { TremplinError } from "../../base/tremplin-error.ts";
import { crostini } from "./crostini.ts";
import { generic } from "./generic.ts";
import { type Site, siteSchema } from "./site.ts";

const builtIn: Readonly<Record<string, Site>> = { generic, crostini };

/** Loads a built-in site, or a YAML file: a text with a slash is a path. Throws `invalid`. */
export async function loadSite(nameOrFile: string): Promise<Site> {
  const site = builtIn[nameOrFile];
  if (site) return site;
  if (!nameOrFile.includes("/")) {
    throw new TremplinError(
      "invalid",
      `there is no site "${nameOrFile}": use ${Object.keys(builtIn).join(", ")}, or the path of a file`,
    );
  }
  try {
    return siteSchema.parse(parse(await readFile(nameOrFile, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new TremplinError("invalid", `the site file ${nameOrFile} cannot be used: ${why}`, error);
  }
}
