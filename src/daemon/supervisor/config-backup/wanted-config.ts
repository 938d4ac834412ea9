import { rm } from "node:fs/promises";
import * as z from "zod";
import { replaceFile, textOfFile } from "../../../base/files/files.ts";
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
  await replaceFile(fileOf(engineFolder), JSON.stringify(wanted));
}

/** The wanted config that was saved when the reset began. Where an earlier version began it, that is the config backup. */
export async function readWanted(engineFolder: string): Promise<WantedConfig> {
  const text = await textOfFile(fileOf(engineFolder));
  const parsed = wantedSchema.safeParse(text === undefined ? undefined : parse(text));
  if (parsed.success) return parsed.data;
  const damaged =
    text === undefined ? undefined : "the record of the configuration before the reset cannot be read";
  return wantedConfigFrom(await readConfigBackup(engineFolder), damaged);
}

export async function removeWanted(engineFolder: string): Promise<void> {
  await rm(fileOf(engineFolder), { force: true });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fileOf(engineFolder: string): string {
  return `${engineFolder}.wanted.json`;
}
