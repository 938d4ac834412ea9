import { mkdir, readdir, rename, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { mountPool, type PoolOnDisk } from "./pool-on-disk.ts";

/** A folder of the pool that engines ignore. */
const QUARANTINE = "tremplin-aside";

/**
 * Hides containers that an engine cannot import while it imports the others: one broken container makes it refuse
 * them all. They return to their place afterwards, or with the next daemon; nothing is deleted.
 */
export class Quarantine {
  readonly #pool: PoolOnDisk;

  constructor(pool: PoolOnDisk) {
    this.#pool = pool;
  }

  async add(container: string): Promise<void> {
    const { folder, layout } = await this.#mounted();
    const { containers, snapshots } = layout;
    for (const part of this.#parts)
      await mkdir(join(folder, QUARANTINE, part), { recursive: true, mode: 0o700 });
    await rename(join(folder, containers, container), join(folder, QUARANTINE, containers, container));
    const [from, to] = [join(folder, snapshots, container), join(folder, QUARANTINE, snapshots, container)];
    await unlessMissing(rename(from, to));
  }

  async restoreAll(): Promise<void> {
    const { folder } = await this.#mounted();
    for (const part of this.#parts) {
      const names = await readdir(join(folder, QUARANTINE, part)).catch((): string[] => []);
      for (const name of names) await rename(join(folder, QUARANTINE, part, name), join(folder, part, name));
    }
    for (const empty of [...this.#parts, ""]) await unlessMissing(rmdir(join(folder, QUARANTINE, empty)));
  }

  /** The folders of a pool for containers and for their snapshots. */
  get #parts(): string[] {
    return [this.#pool.layout.containers, this.#pool.layout.snapshots];
  }

  /** An engine that refused to import the pool has unmounted it. */
  async #mounted(): Promise<PoolOnDisk> {
    await mountPool(this.#pool);
    return this.#pool;
  }
}

async function unlessMissing(act: Promise<void>): Promise<void> {
  await act.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
