import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import { mergeSettings } from "./merge-settings.ts";
import type { WrittenSettings } from "./written-settings.ts";

/** The part of WrittenSettings for the engine's own config. */
export const SERVER_PART = "server config";

/** The engine's shutdown does not wait for its running operations. */
const wanted: Config = { "core.shutdown_timeout": "0" };

interface Place {
  readonly settings: WrittenSettings;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Merges the wanted config into the engine's own. */
export async function prepareServer(engine: Engine, { settings, log, signal }: Place): Promise<void> {
  const found = await engine.server.config({ signal });
  const { entries, written, kept } = mergeSettings(found, wanted, settings.of<string>(SERVER_PART));
  if (kept.length > 0) log.info({ keys: kept }, "settings of a person in the engine's config stay");
  const changed = Object.entries(entries).filter(([key, value]) => found[key] !== value);
  const removed = Object.keys(found).filter((key) => !Object.hasOwn(entries, key));
  if (changed.length + removed.length > 0) {
    await settings.begin({ [SERVER_PART]: written });
    const patch = Object.fromEntries([...changed, ...removed.map((key) => [key, ""] as const)]);
    await engine.server.patchConfig(patch, { signal });
  }
  await settings.confirm({ [SERVER_PART]: written });
}
