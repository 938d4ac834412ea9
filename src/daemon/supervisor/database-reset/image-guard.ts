import { link, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";

/**
 * Hard links of the image files while an engine starts: one whose database is lost knows no image and deletes all
 * image files, before the daemon can find out that the database is lost.
 */
export class ImageGuard {
  readonly #images: string;
  readonly #guardFolder: string;
  readonly #log: Logger;

  constructor(engineFolder: string, { images }: EngineLayout, log: Logger) {
    this.#images = join(engineFolder, images);
    this.#guardFolder = join(engineFolder, `${images}.guarded`);
    this.#log = log;
  }

  /**
   * Links the files, before the engine starts. A failure, for example because the images are on another file system,
   * does not prevent the start.
   */
  async raise(): Promise<void> {
    await linkAll(this.#images, this.#guardFolder).catch((error) =>
      this.#log.warn({ error }, "the image files could not be linked for the engine's start"),
    );
  }

  /** Restores deleted image files; no engine may run. Throws on failure, because then the links may be the only copies. */
  async restore(): Promise<void> {
    await linkAll(this.#guardFolder, this.#images);
  }

  /** Removes the links, once the engine's database is known to have its images, or the images are moved away. */
  async lower(): Promise<void> {
    await rm(this.#guardFolder, { recursive: true, force: true });
  }
}

async function linkAll(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true }).catch(ifNotThere);
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  if (names.length === 0) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  const there = new Set(await readdir(to));
  for (const name of names.filter((each) => !there.has(each))) await link(join(from, name), join(to, name));
}

function ifNotThere(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT") return [];
  throw error;
}
