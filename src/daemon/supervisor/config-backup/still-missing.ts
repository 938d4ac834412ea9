import * as z from "zod";
import { type ErrorLog, JsonFile } from "../../../base/files/json-file.ts";
import { configSchema, type EngineConfigBackup, labelsOf, withMissing } from "./config-schema.ts";
import type { WantedConfig } from "./wanted-config.ts";

const UNREADABLE = "what an earlier reset could not bring back";

const schema = z.object({
  /** What is missing and why, by label. */
  missing: z.record(z.string(), z.object({ reason: z.string(), lasting: z.boolean() })),
  /** The config of those items that a later reset can restore. */
  setup: configSchema,
});

/** What the engine's database lacks since a reset, while an older database that has it is kept. */
export type StillMissing = z.infer<typeof schema>;

/** Written beside the engine's folder. */
export async function writeStillMissing(engineFolder: string, still: StillMissing): Promise<void> {
  await fileOf(engineFolder).write(still);
}

/** Undefined where nothing is missing. A record that cannot be read is itself reported as missing, so that the old database stays. */
export async function readStillMissing(
  engineFolder: string,
  log: ErrorLog,
): Promise<StillMissing | undefined> {
  return await fileOf(engineFolder).readOrReplace(log, (damaged) => {
    const reason = `${damaged} cannot be read: look at the old databases in ${engineFolder}`;
    return { missing: { [UNREADABLE]: { reason, lasting: true } }, setup: configSchema.parse({}) };
  });
}

export async function removeStillMissing(engineFolder: string): Promise<void> {
  await fileOf(engineFolder).remove();
}

/** The wanted config, completed with what the database before this reset lacked already. */
export function withStillMissing(wanted: WantedConfig, still: StillMissing | undefined): WantedConfig {
  if (!still) return wanted;
  const recorded: EngineConfigBackup = wanted.setup;
  const known = labelsOf(recorded);
  const earlier = Object.entries(still.missing).filter(([label]) => !known.has(label));
  return { ...wanted, setup: withMissing(recorded, still.setup), earlier: Object.fromEntries(earlier) };
}

function fileOf(engineFolder: string) {
  return new JsonFile({
    path: `${engineFolder}.missing.json`,
    schema,
    without: "the old databases, which have what it named, are kept",
  });
}
