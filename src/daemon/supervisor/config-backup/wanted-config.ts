import * as z from "zod";
import { type ErrorLog, JsonFile } from "../../../base/files/json-file.ts";
import { readConfigBackup } from "./config-backup.ts";
import { configSchema, type EngineConfigBackup } from "./config-schema.ts";
import { readStillMissing, withStillMissing } from "./still-missing.ts";

const wantedSchema = z.object({
  setup: configSchema,
  /** What was missing before this reset. */
  earlier: z.record(z.string(), z.object({ reason: z.string(), lasting: z.boolean() })).default({}),
  /** Why the setup is incomplete; undefined when it is complete. */
  incomplete: z.string().optional(),
});

/** What a reset must restore into the new database. */
export type WantedConfig = z.infer<typeof wantedSchema>;

/** The wanted config from a config backup. A backup of an earlier version is incomplete. */
export function wantedConfigFrom(setup: EngineConfigBackup, incomplete?: string): WantedConfig {
  const why = incomplete ?? (setup.server ? undefined : "there was no complete config backup");
  return { setup, earlier: {}, ...(why === undefined ? {} : { incomplete: why }) };
}

/** Saves the wanted config for the duration of the reset, because the config backup changes with the engine. */
export async function writeWanted(engineFolder: string, wanted: WantedConfig): Promise<void> {
  await fileOf(engineFolder).write(wanted);
}

/**
 * The wanted config that was saved when the reset began. Where it is lost, that is the config backup and what was
 * missing before, and incomplete. This is saved in turn, because the config backup changes during the reset.
 */
export async function readWanted(engineFolder: string, log: ErrorLog): Promise<WantedConfig> {
  const file = fileOf(engineFolder);
  const substitute = async (incomplete: string) => {
    const wanted = wantedConfigFrom(await readConfigBackup(engineFolder, log), incomplete);
    return withStillMissing(wanted, await readStillMissing(engineFolder, log));
  };
  const record = "the record of the configuration before the reset";
  const found = await file.readOrReplace(log, () => substitute(`${record} cannot be read`));
  if (found) return found;
  const wanted = await substitute(`${record} is not there`);
  await file.write(wanted);
  return wanted;
}

export async function removeWanted(engineFolder: string): Promise<void> {
  await fileOf(engineFolder).remove();
}

function fileOf(engineFolder: string) {
  return new JsonFile({
    path: `${engineFolder}.wanted.json`,
    schema: wantedSchema,
    without: "the newest saved configuration counts instead, and the old database is kept",
  });
}
