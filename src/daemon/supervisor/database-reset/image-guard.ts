import { link, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";

/**
 * A second name for each image file while an engine starts: one whose database is lost finds no image in it, and
 * deletes their files before anybody can see that it is lost.
 */
export class ImageGuard {
  readonly #images: string;
  readonly #guarded: string;
  readonly #log: Logger;

  constructor(engineFolder: string, { images }: EngineLayout, log: Logger) {
    this.#images = join(engineFolder, images);
    this.#guarded = join(engineFolder, `${images}.guarded`);
    this.#log = log;
  }

  /**
   * Before the engine starts. What cannot be guarded, images on another file system for one, does not keep it from
   * starting.
   */
  async raise(): Promise<void> {
    await linkAll(this.#images, this.#guarded).catch((error) =>
      this.#log.warn({ error }, "image files could not be given a second name for the engine's start"),
    );
  }

  /** Gives back what is gone; no engine may run. Throws where it cannot: then the second names are the only ones. */
  async restore(): Promise<void> {
    await linkAll(this.#guarded, this.#images);
  }

  /** Once it is known that the engine's database knows its images, or that they are aside. */
  async lower(): Promise<void> {
    await rm(this.#guarded, { recursive: true, force: true });
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
