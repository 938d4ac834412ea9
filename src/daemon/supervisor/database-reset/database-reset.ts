import { lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { replaceFile } from "../../../base/files/durable-file.ts";
import { textOfFile } from "../../../base/files/text-of-file.ts";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";

/**
 * What of an engine's folder goes with its database. Images are only files to a person, but an engine deletes at its
 * start all that its database does not know.
 */
function foldersOf({ database, networks, images }: EngineLayout): string[] {
  return [database, networks, images];
}

/** Whether a name in an engine's folder is that of such a folder that a reset moved aside. */
export function isOldFolder(name: string, folder: string): boolean {
  return name.startsWith(folder) && /^\.old(\.\d+)?$/.test(name.slice(folder.length));
}

/**
 * How far a reset is:
 * - `moving`: the old folders go aside;
 * - `recovering`: the engine works with a new database, and its containers are brought back into it;
 * - `restoring`: the old folders come back, the new ones go;
 * - `discarding`: the new database proved good, the old folders go.
 */
export type ResetPhase = "moving" | "recovering" | "restoring" | "discarding";

const stateSchema = z.object({
  phase: z.enum(["moving", "recovering", "restoring", "discarding"]),
  /** The folders that were there when it began, and only these: where each goes, as names. */
  moved: z.array(z.object({ name: z.string(), to: z.string() })),
});
type State = z.infer<typeof stateSchema>;

/**
 * A reset of the engine's database, on disk: each phase is written before what it does, and each can be done
 * again from its beginning. So a kill at any instant leaves either the old database or the new one to go on with,
 * and never less than one.
 */
export class DatabaseReset {
  readonly #folder: string;
  readonly #layout: EngineLayout;
  readonly #file: string;
  readonly #log: Logger;
  /** Whether the engine had a new database already when this daemon began: a person may have worked with it. */
  readonly #mayBeUsed: boolean;
  readonly #unused: string[] = [];
  #state: State | undefined;

  private constructor(
    folder: string,
    layout: EngineLayout,
    file: string,
    log: Logger,
    state: State | undefined,
  ) {
    this.#folder = folder;
    this.#layout = layout;
    this.#file = file;
    this.#log = log;
    this.#mayBeUsed = state?.phase === "recovering" || state?.phase === "restoring";
    this.#state = state;
  }

  /** Reads how far the reset of the engine in that folder is; the file is beside the folder. */
  static async open(folder: string, layout: EngineLayout, log: Logger): Promise<DatabaseReset> {
    const file = `${folder}.reset.json`;
    const text = await textOfFile(file);
    try {
      const state = text === undefined ? undefined : stateSchema.parse(JSON.parse(text));
      return new DatabaseReset(folder, layout, file, log, state);
    } catch (error) {
      throw new TremplinError(
        "failed",
        `${file}, which says how far a reset of the engine's database is, cannot be read: look at ${folder}, keep the database that you want as "${layout.database}", and delete that file`,
        error,
      );
    }
  }

  /** None when no reset is under way. */
  get phase(): ResetPhase | undefined {
    return this.#state?.phase;
  }

  /** Moves the database aside; no engine may run. What an earlier reset kept stays where it is. */
  async begin(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o711 });
    const there = await this.#names();
    await this.#refuseMounts(there);
    const moved: State["moved"] = [];
    for (const name of foldersOf(this.#layout).filter((each) => there.includes(each))) {
      // A folder without images is no more than one that the engine makes by itself.
      if (name === this.#layout.images && (await readdir(join(this.#folder, name))).length === 0) continue;
      moved.push({ name, to: freeName(`${name}.old`, there) });
    }
    await this.#write({ phase: "moving", moved });
    await this.resume();
  }

  /** Carries on what a daemon that died was at; no engine may run, except while recovering. */
  async resume(): Promise<void> {
    if (this.phase === "moving") await this.#move();
    if (this.phase === "restoring") await this.restore();
    if (this.phase === "discarding") await this.#delete();
  }

  /** Throws away a new database that the engine died over, for another one; no engine may run. */
  async startOver(): Promise<void> {
    if (this.phase !== "recovering") return;
    for (const name of foldersOf(this.#layout)) {
      // Images that were not moved aside are the person's, and not the new database's.
      if (name === this.#layout.images && !this.#need().moved.some((each) => each.name === name)) continue;
      await this.#clear(name);
    }
  }

  /** Puts the old database back, of that only what was moved (behaviour.md 12 item 5); no engine may run. */
  async restore(): Promise<void> {
    const { moved } = this.#need();
    await this.#write({ phase: "restoring", moved });
    const there = await readdir(this.#folder);
    for (const { name, to } of moved.filter((each) => there.includes(each.to))) {
      await this.#clear(name);
      await rename(join(this.#folder, to), join(this.#folder, name));
    }
    await this.#end();
  }

  /** Ends it without any old database: the new one has everything. */
  async discard(): Promise<void> {
    const { moved } = this.#need();
    const earlier = (await this.kept()).filter((old) => !moved.some(({ to }) => to === old));
    await this.#write({
      phase: "discarding",
      moved: [...moved, ...earlier.map((to) => ({ name: to, to }))],
    });
    await this.#delete();
  }

  /** Ends it without the database of this time: what the new one lacks only those of earlier resets have. */
  async discardNewest(): Promise<void> {
    await this.#write({ phase: "discarding", moved: this.#need().moved });
    await this.#delete();
  }

  /** Ends it with the old database kept, because the new one does not have everything. */
  async keep(): Promise<void> {
    const kept = await this.kept();
    await replaceFile(this.#keptFile, JSON.stringify(kept));
    await this.#end();
    this.#log.warn({ kept }, "the old database is kept");
  }

  /**
   * The names of the folders that this reset and earlier ones moved aside. A folder of such a name that no reset
   * recorded is a person's.
   */
  async kept(): Promise<string[]> {
    const ours = new Set([...(await this.#recorded()), ...(this.#state?.moved ?? []).map(({ to }) => to)]);
    return (await this.#names()).filter((name) => this.#isOld(name) && ours.has(name)).sort();
  }

  /** The names of the folders of a new database that is not used any more, but may hold what a person made in it. */
  get unused(): readonly string[] {
    return this.#unused;
  }

  /** Whether there was a database when it began. */
  get replacesDatabase(): boolean {
    return this.#state?.moved.some(({ name }) => name === this.#layout.database) ?? false;
  }

  #isOld(name: string): boolean {
    return foldersOf(this.#layout).some((folder) => isOldFolder(name, folder));
  }

  async #delete(): Promise<void> {
    const old = this.#need().moved.map(({ to }) => to);
    const left = new Set((await this.#recorded()).filter((name) => !old.includes(name)));
    for (const name of old) if (!(await this.#deleteOld(name))) left.add(name);
    if (left.size > 0) await replaceFile(this.#keptFile, JSON.stringify([...left]));
    else await rm(this.#keptFile, { force: true });
    await this.#end();
  }

  /** What cannot be deleted (something is mounted in it, say) does not keep the engine from starting. */
  async #deleteOld(name: string): Promise<boolean> {
    try {
      await rm(join(this.#folder, name), { recursive: true, force: true });
      return true;
    } catch (error) {
      this.#log.warn({ error, name }, "an old database could not be deleted: the next reset tries again");
      return false;
    }
  }

  async #recorded(): Promise<readonly string[]> {
    try {
      return z.array(z.string()).parse(JSON.parse((await textOfFile(this.#keptFile)) ?? "[]"));
    } catch (error) {
      this.#log.warn({ error, file: this.#keptFile }, "which old databases are kept cannot be read");
      return [];
    }
  }

  get #keptFile(): string {
    return `${this.#folder}.kept.json`;
  }

  /** Makes room for a folder. What a person may have put into the one that is there goes aside. */
  async #clear(name: string): Promise<void> {
    const there = await this.#names();
    if (!there.includes(name)) return;
    const path = join(this.#folder, name);
    if (!this.#mayBeUsed) return await rm(path, { recursive: true });
    const to = freeName(`${name}.unused`, there);
    await rename(path, join(this.#folder, to));
    this.#unused.push(to);
    this.#log.warn(
      { folder: join(this.#folder, to) },
      "what was made in the engine during the reset is kept here",
    );
  }

  async #move(): Promise<void> {
    const { moved } = this.#need();
    const there = await this.#names();
    for (const { name, to } of moved.filter((each) => !there.includes(each.to))) {
      await rename(join(this.#folder, name), join(this.#folder, to));
    }
    await this.#write({ phase: "recovering", moved });
  }

  /** What is mounted there cannot be renamed, and the reset would never get further. */
  async #refuseMounts(there: readonly string[]): Promise<void> {
    const { dev } = await stat(this.#folder);
    for (const name of foldersOf(this.#layout).filter((each) => there.includes(each))) {
      const path = join(this.#folder, name);
      if ((await lstat(path)).dev === dev) continue;
      throw new TremplinError(
        "failed",
        `the engine's database cannot be reset while something is mounted on ${path}: unmount it and try again`,
      );
    }
  }

  /** None where there was never an engine. */
  #names(): Promise<string[]> {
    return readdir(this.#folder).catch((error: NodeJS.ErrnoException): string[] => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
  }

  #need(): State {
    if (!this.#state) throw new TremplinError("failed", "no reset of the engine's database is under way");
    return this.#state;
  }

  async #write(state: State): Promise<void> {
    await this.#sync();
    await replaceFile(this.#file, JSON.stringify(state));
    this.#state = state;
    this.#log.info({ ...state }, "resetting the engine's database");
  }

  async #end(): Promise<void> {
    await this.#sync();
    await rm(this.#file, { force: true });
    this.#state = undefined;
  }

  /** What was renamed so far survives a crash of the machine. */
  async #sync(): Promise<void> {
    await using folder = await open(this.#folder, "r");
    await folder.sync();
  }
}

function freeName(name: string, taken: readonly string[]): string {
  let free = name;
  for (let count = 2; taken.includes(free); count++) free = `${name}.${count}`;
  return free;
}
