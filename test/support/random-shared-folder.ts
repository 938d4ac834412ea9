import { link, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RandomSource } from "./random-source.ts";

/** A user in the shared folder, where exports go to. */
export class RandomSharedFolder {
  readonly #folder: string;
  readonly #random: RandomSource;
  readonly #tell: (line: string) => void;
  #count = 0;

  constructor(folder: string, random: RandomSource, tell: (line: string) => void) {
    this.#folder = folder;
    this.#random = random;
    this.#tell = tell;
  }

  /** A name for an export: of nothing, of an old backup with a hard link to it, or of an empty file. */
  async target(): Promise<string> {
    const name = `out-${this.#count++}.tar.gz`;
    const path = join(this.#folder, name);
    const was = this.#random.pick(["nothing", "an old backup", "an empty file"]);
    if (was === "an old backup") {
      await writeFile(path, `the good backup of yesterday ${name}`);
      await link(path, `${path}.1`);
    }
    if (was === "an empty file") await writeFile(path, "");
    this.#tell(`  the target ${name} is ${was}`);
    return name;
  }

  /** Does something to the file that an export was to write. */
  async act(name: string): Promise<void> {
    const path = join(this.#folder, name);
    const text = `by hand ${this.#count++}`;
    const acts = {
      "write over": () => writeFile(path, text),
      replace: async () => {
        await writeFile(`${path}.new`, text);
        await rename(`${path}.new`, path);
      },
      "move away": () => rename(path, `${path}.moved`),
      link: () => link(path, `${path}.linked`),
      delete: () => rm(path),
      empty: () => truncate(path),
    };
    const what = this.#random.pick(Object.keys(acts) as (keyof typeof acts)[]);
    const outcome = await acts[what]().then(
      () => "",
      ({ code }: NodeJS.ErrnoException) => `: ${code}`,
    );
    this.#tell(`  by user: ${what} ${name}${outcome}`);
  }
}
