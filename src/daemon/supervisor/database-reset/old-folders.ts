import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { JsonFile } from "../../../base/files/json-file.ts";
import type { Logger } from "../../../base/logger.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";

/**
 * The parts of an engine's folder that belong to its database. Images do, because an engine deletes at its start every
 * image file that its database does not know.
 */
export function databaseFolders({ database, networks, images }: EngineLayout): string[] {
  return [database, networks, images];
}

/** Whether a reset gives such a name to that folder when it moves it away. */
export function isOldFolder(name: string, folder: string): boolean {
  return name.startsWith(folder) && /^\.old(\.\d+)?$/.test(name.slice(folder.length));
}

/** The names in an engine's folder; empty where there was never an engine. */
export function namesIn(engineFolder: string): Promise<string[]> {
  return readdir(engineFolder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

const namesSchema = z.array(z.string());

/** The old folders that ended resets keep, by a record beside the engine's folder. */
export class OldFolders {
  readonly #folder: string;
  readonly #layout: EngineLayout;
  readonly #file: JsonFile<typeof namesSchema>;
  readonly #log: Logger;

  constructor(engineFolder: string, layout: EngineLayout, log: Logger) {
    this.#folder = engineFolder;
    this.#layout = layout;
    this.#file = new JsonFile({
      path: `${engineFolder}.kept.json`,
      schema: namesSchema,
      without: "the old databases count as a person's and are not deleted",
    });
    this.#log = log;
  }

  /**
   * The names of the old folders that exist and that resets moved: those recorded, and `moved`. A folder of such a name
   * that no reset recorded is a person's.
   */
  async kept(moved: readonly string[]): Promise<string[]> {
    const ours = new Set([...(await this.#recorded()), ...moved]);
    return (await this.all()).filter((name) => ours.has(name)).sort();
  }

  /** The names of all old folders, also a person's. */
  async all(): Promise<string[]> {
    const folders = databaseFolders(this.#layout);
    return (await namesIn(this.#folder)).filter((name) =>
      folders.some((folder) => isOldFolder(name, folder)),
    );
  }

  /** Records that these are kept. */
  async keep(names: readonly string[]): Promise<void> {
    await this.#file.write([...names]);
  }

  /** Deletes these. One that cannot be deleted stays recorded, for the next reset. */
  async delete(names: readonly string[]): Promise<void> {
    const kept = new Set((await this.#recorded()).filter((name) => !names.includes(name)));
    for (const name of names) if (!(await this.#deleteOne(name))) kept.add(name);
    if (kept.size > 0) await this.keep([...kept]);
    else await this.#file.remove();
  }

  /** A failure, for example because of a mount, does not keep the engine from starting. */
  async #deleteOne(name: string): Promise<boolean> {
    try {
      await rm(join(this.#folder, name), { recursive: true, force: true });
      return true;
    } catch (error) {
      this.#log.warn({ error, name }, "an old database could not be deleted: the next reset tries again");
      return false;
    }
  }

  async #recorded(): Promise<readonly string[]> {
    return (await this.#file.readOrSetAside(this.#log)) ?? [];
  }
}
