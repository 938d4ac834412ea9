import { rm } from "node:fs/promises";
import * as z from "zod";
import { replaceFile } from "../../../base/files/durable-file.ts";
import { textOfFile } from "../../../base/files/text-of-file.ts";
import { readConfigBackup } from "./config-backup.ts";
import { configSchema, type EngineConfigBackup } from "./config-schema.ts";

const wantedSchema = z.object({
  setup: configSchema,
  /** What was missing already before this reset. */
  earlier: z.record(z.string(), z.object({ reason: z.string(), lasting: z.boolean() })).default({}),
  /** Why the setup is not all that there was, if that is so. */
  incomplete: z.string().optional(),
});

/** What a new database must get. */
export type WantedConfig = z.infer<typeof wantedSchema>;

/** A record of the engine as what is wanted: one of an earlier version does not hold everything. */
export function asWanted(setup: EngineConfigBackup, incomplete?: string): WantedConfig {
  const why = incomplete ?? (setup.server ? undefined : "there was no full record of what the engine had");
  return { setup, earlier: {}, ...(why === undefined ? {} : { incomplete: why }) };
}

/** Writes it down for the time of the reset, since the record of the engine goes on to change. */
export async function keepWanted(engineFolder: string, wanted: WantedConfig): Promise<void> {
  await replaceFile(fileOf(engineFolder), JSON.stringify(wanted));
}

/** What was written down when the reset began. A reset that an earlier version began has the record of the engine. */
export async function readWanted(engineFolder: string): Promise<WantedConfig> {
  const text = await textOfFile(fileOf(engineFolder));
  const parsed = wantedSchema.safeParse(text === undefined ? undefined : parse(text));
  if (parsed.success) return parsed.data;
  const damaged =
    text === undefined ? undefined : "what was written down when the reset began cannot be read";
  return asWanted(await readConfigBackup(engineFolder), damaged);
}

export async function forgetWanted(engineFolder: string): Promise<void> {
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
