import { rm } from "node:fs/promises";
import * as z from "zod";
import { replaceFile } from "../../../base/files/durable-file.ts";
import { textOfFile } from "../../../base/files/text-of-file.ts";
import { configSchema, type EngineConfigBackup, labelsOf, withMissing } from "./config-schema.ts";
import type { WantedConfig } from "./wanted-config.ts";

const UNREADABLE = "what an earlier reset could not bring back";

const schema = z.object({
  /** What is missing, and why, in words for a person. */
  missing: z.record(z.string(), z.object({ reason: z.string(), lasting: z.boolean() })),
  /** What can be tried again of it. */
  setup: configSchema,
});

/** What the engine's database lacks since a reset, for as long as an older database that has it is kept. */
export type StillMissing = z.infer<typeof schema>;

/** Written beside the engine's folder. */
export async function writeStillMissing(engineFolder: string, still: StillMissing): Promise<void> {
  await replaceFile(fileOf(engineFolder), JSON.stringify(still));
}

/**
 * None where no old database is kept: then a person has let go of what was in it. A file that cannot be read is
 * itself something that is missing, so that the old database stays.
 */
export async function readStillMissing(
  engineFolder: string,
  kept: readonly string[],
): Promise<StillMissing | undefined> {
  if (kept.length === 0) return undefined;
  const text = await textOfFile(fileOf(engineFolder));
  try {
    return text === undefined ? undefined : schema.parse(JSON.parse(text));
  } catch {
    const reason = `${fileOf(engineFolder)} cannot be read: look at ${kept.join(", ")}`;
    return { missing: { [UNREADABLE]: { reason, lasting: true } }, setup: configSchema.parse({}) };
  }
}

export async function forgetStillMissing(engineFolder: string): Promise<void> {
  await rm(fileOf(engineFolder), { force: true });
}

/** What is wanted of a new database, with what the one before lacked already. */
export function withStillMissing(wanted: WantedConfig, still: StillMissing | undefined): WantedConfig {
  if (!still) return wanted;
  const recorded: EngineConfigBackup = wanted.setup;
  const known = labelsOf(recorded);
  const earlier = Object.entries(still.missing).filter(([label]) => !known.has(label));
  return { ...wanted, setup: withMissing(recorded, still.setup), earlier: Object.fromEntries(earlier) };
}

function fileOf(engineFolder: string): string {
  return `${engineFolder}.missing.json`;
}
