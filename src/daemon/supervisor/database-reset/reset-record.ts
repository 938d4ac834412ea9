import * as z from "zod";
import { syncFolder } from "../../../base/files/files.ts";
import { DamagedFileError, JsonFile } from "../../../base/files/json-file.ts";
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
  readonly #file: JsonFile<typeof stateSchema>;
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
    try {
      return new ResetRecord(folder, log, await file.read());
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error;
      throw new TremplinError(
        "failed",
        `${file.path}, which says how far a reset of the engine's database is, cannot be read (${error.message}): look at ${folder}, keep the database that you want as "${database}", and delete that file`,
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
    await syncFolder(this.#folder);
    await this.#file.write(state);
    this.#state = state;
    this.#log.info({ ...state }, "resetting the engine's database");
  }

  async end(): Promise<void> {
    await syncFolder(this.#folder);
    await this.#file.remove();
    this.#state = undefined;
  }
}

/** Never set aside: which of the folders is the database to use, only a person can say then. */
function fileOf(folder: string) {
  return new JsonFile({ path: `${folder}.reset.json`, schema: stateSchema, without: "no reset goes on" });
}
