import { link, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";

/**
 * A second name for each image file while an engine starts: one whose database is lost finds no image in it, and
 * deletes their files before anybody can see that it is lost.
 */
export class ImageGuard {
  readonly #images: string;
  readonly #guarded: string;
  readonly #log: Logger;

  constructor(engineFolder: string, log: Logger) {
    this.#images = join(engineFolder, "images");
    this.#guarded = join(engineFolder, "images.guarded");
    this.#log = log;
  }

  /** Before the engine starts. */
  async raise(): Promise<void> {
    await this.#linkAll(this.#images, this.#guarded);
  }

  /** Gives back what is gone; no engine may run. */
  async restore(): Promise<void> {
    await this.#linkAll(this.#guarded, this.#images);
  }

  /** Once it is known that the engine's database knows its images, or that they are aside. */
  async lower(): Promise<void> {
    await rm(this.#guarded, { recursive: true, force: true });
  }

  /** What cannot be guarded, images on another file system for one, does not keep an engine from starting. */
  async #linkAll(from: string, to: string): Promise<void> {
    try {
      const entries = await readdir(from, { withFileTypes: true }).catch(() => []);
      const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
      if (names.length === 0) return;
      await mkdir(to, { recursive: true, mode: 0o700 });
      const there = new Set(await readdir(to));
      for (const name of names.filter((each) => !there.has(each)))
        await link(join(from, name), join(to, name));
    } catch (error) {
      this.#log.warn(
        { error, from, to },
        "image files could not be given a second name for the engine's start",
      );
    }
  }
}
