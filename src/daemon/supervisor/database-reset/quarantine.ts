import { mkdir, readdir, rename, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { mountPool, type PoolOnDisk } from "./pool-on-disk.ts";

/** A folder of the pool that no engine looks into. */
const ASIDE = "tremplin-aside";

/**
 * Containers of a pool that an engine cannot take back, out of its sight while it takes back the others: for one
 * broken container it would take none. They are put back afterwards, or by the next daemon; nothing is deleted.
 */
export class Quarantine {
  readonly #pool: PoolOnDisk;

  constructor(pool: PoolOnDisk) {
    this.#pool = pool;
  }

  async add(container: string): Promise<void> {
    const { folder, layout } = await this.#mounted();
    const { containers, snapshots } = layout;
    for (const part of this.#parts) await mkdir(join(folder, ASIDE, part), { recursive: true, mode: 0o700 });
    await rename(join(folder, containers, container), join(folder, ASIDE, containers, container));
    const [from, to] = [join(folder, snapshots, container), join(folder, ASIDE, snapshots, container)];
    await unlessMissing(rename(from, to));
  }

  async restoreAll(): Promise<void> {
    const { folder } = await this.#mounted();
    for (const part of this.#parts) {
      const names = await readdir(join(folder, ASIDE, part)).catch((): string[] => []);
      for (const name of names) await rename(join(folder, ASIDE, part, name), join(folder, part, name));
    }
    for (const empty of [...this.#parts, ""]) await unlessMissing(rmdir(join(folder, ASIDE, empty)));
  }

  /** Where a container and its snapshots lie. */
  get #parts(): string[] {
    return [this.#pool.layout.containers, this.#pool.layout.snapshots];
  }

  /** An engine that refused to take the pool back has unmounted it. */
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
