import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** A file that was compressed when it was built. */
export interface ConsoleFile {
  readonly type: string;
  /** Its content by the name of the encoding in HTTP. */
  readonly bodies: Readonly<Record<"br" | "gzip" | "identity", Buffer>>;
}

/** The files of the console by their path in a URL, all read at once: no request leads to the file system. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

/** Reads what scripts/build.mjs wrote. Throws `failed` where that is missing. */
export async function readConsoleFiles(folder: string): Promise<ConsoleFiles> {
  try {
    const names = await readdir(folder, { recursive: true });
    const found = names.filter((name) => extname(name) in types);
    const read = async (name: string) => [`/${name}`, await readOne(join(folder, name))] as const;
    return new Map(await Promise.all(found.map(read)));
  } catch (error) {
    throw new TremplinError(
      "failed",
      `the files of the console in ${folder} cannot be read (${systemErrorText(error)}): build them with npm run build`,
      error,
    );
  }
}

async function readOne(path: string): Promise<ConsoleFile> {
  const [identity, gzip, br] = await Promise.all([
    readFile(path),
    readFile(`${path}.gz`),
    readFile(`${path}.br`),
  ]);
  return { type: types[extname(path)] as string, bodies: { identity, gzip, br } };
}

/** The best encoding that a browser accepts. */
export function encodingFor(accepted: string | undefined): "br" | "gzip" | "identity" {
  const names = (accepted ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => !/;\s*q=0(\.0*)?$/.test(each))
    .map((each) => each.split(";", 1)[0]?.trim().toLowerCase());
  if (names.includes("br")) return "br";
  return names.includes("gzip") ? "gzip" : "identity";
}
