import * as z from "zod";
import { canAccess } from "../../../base/files/files.ts";
import { type ErrorLog, JsonFile } from "../../../base/files/json-file.ts";
import { readConfigBackup } from "./config-backup.ts";
import { configSchema, type EngineConfigBackup } from "./config-schema.ts";

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

/** The wanted config that was saved when the reset began. Where an earlier version began it, that is the config backup. */
export async function readWanted(engineFolder: string, log: ErrorLog): Promise<WantedConfig> {
  const file = fileOf(engineFolder);
  const wasThere = await canAccess(file.path);
  const wanted = await file.readOrSetAside(log);
  if (wanted) return wanted;
  const damaged = "the record of the configuration before the reset cannot be read";
  return wantedConfigFrom(await readConfigBackup(engineFolder, log), wasThere ? damaged : undefined);
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
