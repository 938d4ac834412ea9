import { lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";
import { databaseFolders, namesIn, OldFolders } from "./old-folders.ts";
import { type ResetPhase, ResetRecord, type ResetState } from "./reset-record.ts";

/**
 * A reset of the engine's database, on disk: each phase is written before its work, and its work can be repeated from
 * its beginning. So a kill at any instant leaves either the old database or the new one to continue with, and never
 * less than one. Except in `recovering`, no engine may run while a method works.
 */
export class DatabaseReset {
  readonly #folder: string;
  readonly #layout: EngineLayout;
  readonly #log: Logger;
  readonly #record: ResetRecord;
  readonly #old: OldFolders;
  /** Whether the engine had a new database already when this daemon began: a person may have worked with it. */
  readonly #mayBeUsed: boolean;
  readonly #unused: string[] = [];

  private constructor(folder: string, layout: EngineLayout, log: Logger, record: ResetRecord) {
    this.#folder = folder;
    this.#layout = layout;
    this.#log = log;
    this.#record = record;
    this.#old = new OldFolders(folder, layout, log);
    this.#mayBeUsed = record.state?.phase === "recovering" || record.state?.phase === "restoring";
  }

  /** Reads how far the reset of the engine in that folder is. Throws `failed` where that cannot be read. */
  static async open(folder: string, layout: EngineLayout, log: Logger): Promise<DatabaseReset> {
    return new DatabaseReset(folder, layout, log, await ResetRecord.open(folder, layout, log));
  }

  /** Undefined while no reset is under way. */
  get phase(): ResetPhase | undefined {
    return this.#record.state?.phase;
  }

  /** Moves the database away. Folders that an earlier reset keeps stay where they are. */
  async begin(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o711 });
    const existing = await namesIn(this.#folder);
    await this.#refuseMounts(existing);
    const moved: ResetState["moved"] = [];
    for (const name of databaseFolders(this.#layout).filter((each) => existing.includes(each))) {
      // The engine creates an empty folder for images by itself.
      if (name === this.#layout.images && (await readdir(join(this.#folder, name))).length === 0) continue;
      moved.push({ name, to: freeName(`${name}.old`, existing) });
    }
    await this.#record.write({ phase: "moving", moved });
    await this.resume();
  }

  /** Continues a phase in which an earlier daemon died. */
  async resume(): Promise<void> {
    if (this.phase === "moving") await this.#move();
    if (this.phase === "restoring") await this.restore();
    if (this.phase === "discarding") await this.#delete();
  }

  /** Removes a new database under which the engine died, so that the engine makes another. */
  async startOver(): Promise<void> {
    if (this.phase !== "recovering") return;
    for (const name of databaseFolders(this.#layout)) {
      // Images that were not moved away are the person's, and not the new database's.
      if (name === this.#layout.images && !this.#record.moved.some((each) => each.name === name)) continue;
      await this.#clear(name);
    }
  }

  /** Returns the folders that were moved away, and only these, to their place; ends the reset. */
  async restore(): Promise<void> {
    const { moved } = this.#record;
    await this.#record.write({ phase: "restoring", moved });
    const existing = await readdir(this.#folder);
    for (const { name, to } of moved.filter((each) => existing.includes(each.to))) {
      await this.#clear(name);
      await rename(join(this.#folder, to), join(this.#folder, name));
    }
    await this.#record.end();
  }

  /** Deletes every old database, because the new one has everything; ends the reset. */
  async discard(): Promise<void> {
    const { moved } = this.#record;
    const earlier = (await this.kept()).filter((old) => !moved.some(({ to }) => to === old));
    await this.#record.write({
      phase: "discarding",
      moved: [...moved, ...earlier.map((to) => ({ name: to, to }))],
    });
    await this.#delete();
  }

  /** Deletes the old database of this reset, because only those of earlier resets have what is missing; ends it. */
  async discardNewest(): Promise<void> {
    await this.#record.write({ phase: "discarding", moved: this.#record.moved });
    await this.#delete();
  }

  /** Keeps the old database, because the new one does not have everything; ends the reset. */
  async keep(): Promise<void> {
    const kept = await this.kept();
    await this.#old.keep(kept);
    await this.#record.end();
    this.#log.warn({ kept }, "the old database is kept");
  }

  /** The names of the folders that this reset and earlier ones moved away and that still exist. */
  kept(): Promise<string[]> {
    return this.#old.kept((this.#record.state?.moved ?? []).map(({ to }) => to));
  }

  /** Whether there is an old folder, also one that no record names: a damaged record says nothing of them. */
  async hasOldFolders(): Promise<boolean> {
    return (await this.#old.all()).length > 0;
  }

  /** The names of the folders of a new database that is no longer used, in which a person may have worked. */
  get unused(): readonly string[] {
    return this.#unused;
  }

  /** Whether there was a database when the reset began. */
  get replacesDatabase(): boolean {
    return this.#record.state?.moved.some(({ name }) => name === this.#layout.database) ?? false;
  }

  async #delete(): Promise<void> {
    await this.#old.delete(this.#record.moved.map(({ to }) => to));
    await this.#record.end();
  }

  /** Frees the name of a folder. A folder in which a person may have worked is renamed, not deleted. */
  async #clear(name: string): Promise<void> {
    const existing = await namesIn(this.#folder);
    if (!existing.includes(name)) return;
    const path = join(this.#folder, name);
    if (!this.#mayBeUsed) return await rm(path, { recursive: true });
    const to = freeName(`${name}.unused`, existing);
    await rename(path, join(this.#folder, to));
    this.#unused.push(to);
    this.#log.warn(
      { folder: join(this.#folder, to) },
      "a new database that may have been used during the reset is kept",
    );
  }

  async #move(): Promise<void> {
    const { moved } = this.#record;
    const existing = await namesIn(this.#folder);
    for (const { name, to } of moved.filter((each) => !existing.includes(each.to))) {
      await rename(join(this.#folder, name), join(this.#folder, to));
    }
    await this.#record.write({ phase: "recovering", moved });
  }

  /** Throws `failed` for a mount point, which cannot be renamed, so that the reset could never continue. */
  async #refuseMounts(existing: readonly string[]): Promise<void> {
    const { dev } = await stat(this.#folder);
    for (const name of databaseFolders(this.#layout).filter((each) => existing.includes(each))) {
      const path = join(this.#folder, name);
      if ((await lstat(path)).dev === dev) continue;
      throw new TremplinError(
        "failed",
        `the engine's database cannot be reset while something is mounted on ${path}: unmount it and try again`,
      );
    }
  }
}

function freeName(name: string, taken: readonly string[]): string {
  let free = name;
  for (let count = 2; taken.includes(free); count++) free = `${name}.${count}`;
  return free;
}
