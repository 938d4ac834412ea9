import { open, rm } from "node:fs/promises";
import * as z from "zod";
import { replaceFile, textOfFile } from "../../../base/files/files.ts";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";

/**
 * The phases of a reset:
 * - `moving`: the old folders are moved away;
 * - `recovering`: the engine has a new database, and the containers are imported into it;
 * - `restoring`: the old folders return, the new ones go;
 * - `discarding`: the new database works, the old folders are deleted.
 */
export type ResetPhase = "moving" | "recovering" | "restoring" | "discarding";

const stateSchema = z.object({
  phase: z.enum(["moving", "recovering", "restoring", "discarding"]),
  /** The folders that existed when the reset began, and only these: the name of each, and the name it is moved to. */
  moved: z.array(z.object({ name: z.string(), to: z.string() })),
});
export type ResetState = z.infer<typeof stateSchema>;

/** The state of a reset on disk, beside the engine's folder. A phase is written before its work. */
export class ResetRecord {
  readonly #folder: string;
  readonly #file: string;
  readonly #log: Logger;
  #state: ResetState | undefined;

  private constructor(folder: string, log: Logger, state: ResetState | undefined) {
    this.#folder = folder;
    this.#file = fileOf(folder);
    this.#log = log;
    this.#state = state;
  }

  /** Reads the record of the engine in that folder. Throws `failed` for one that cannot be read. */
  static async open(folder: string, { database }: EngineLayout, log: Logger): Promise<ResetRecord> {
    const file = fileOf(folder);
    const text = await textOfFile(file);
    try {
      const state = text === undefined ? undefined : stateSchema.parse(JSON.parse(text));
      return new ResetRecord(folder, log, state);
    } catch (error) {
      throw new TremplinError(
        "failed",
        `${file}, which says how far a reset of the engine's database is, cannot be read: look at ${folder}, keep the database that you want as "${database}", and delete that file`,
        error,
      );
    }
  }

  /** Undefined while no reset is under way. */
  get state(): ResetState | undefined {
    return this.#state;
  }

  /** The folders that the reset under way moves. Throws when none is under way. */
  get moved(): ResetState["moved"] {
    if (!this.#state) throw new TremplinError("failed", "no reset of the engine's database is under way");
    return this.#state.moved;
  }

  async write(state: ResetState): Promise<void> {
    await this.#sync();
    await replaceFile(this.#file, JSON.stringify(state));
    this.#state = state;
    this.#log.info({ ...state }, "resetting the engine's database");
  }

  async end(): Promise<void> {
    await this.#sync();
    await rm(this.#file, { force: true });
    this.#state = undefined;
  }

  /** Makes the renames so far survive a crash of the machine. */
  async #sync(): Promise<void> {
    await using folder = await open(this.#folder, "r");
    await folder.sync();
  }
}

function fileOf(folder: string): string {
  return `${folder}.reset.json`;
}
