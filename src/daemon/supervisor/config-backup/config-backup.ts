import { readFile } from "node:fs/promises";
import { replaceFile } from "../../../base/files/files.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import { claimBridges } from "../network/bridge-ownership.ts";
import { configSchema, type EngineConfigBackup } from "./config-schema.ts";
import { readEngineConfig } from "./record-config.ts";

/** Lifecycle events after which the config backup is out of date. */
const CONFIG_EVENT = /^(network|profile|storage-pool|storage-volume|project|image|certificate|config)-/;

/** Saves the engine's configuration, in case that its database is lost. The file is beside the engine's folder. */
export async function recordConfig(
  engine: Engine,
  engineFolder: string,
  signal?: AbortSignal,
): Promise<void> {
  const setup = await readEngineConfig(engine, signal);
  await replaceFile(fileOf(engineFolder), JSON.stringify(setup));
  const bridges = setup.networks.filter(({ type }) => type === "bridge");
  await claimBridges(
    engineFolder,
    bridges.map(({ name }) => name),
  );
}

/**
 * Saves the engine's configuration now and after each change, by whichever client, until `engine` is disposed. A
 * failure is only logged, because the engine works without a backup.
 */
export async function backUpOnChange(engine: Engine, engineFolder: string, log: Logger): Promise<void> {
  const record = () =>
    recordConfig(engine, engineFolder).catch((error) =>
      log.warn({ error }, "the engine's configuration could not be saved; the next change tries again"),
    );
  let writing = record();
  let waiting = false;
  const changed = () => {
    if (waiting) return;
    waiting = true;
    writing = writing.then(() => {
      waiting = false;
      return record();
    });
  };
  const interest = { types: ["lifecycle"], reconnected: changed } as const;
  const subscription = engine.eventsOfAllProjects.subscribe(interest, (event) => {
    if (event.type === "lifecycle" && CONFIG_EVENT.test(event.metadata.action)) changed();
  });
  await Promise.all([writing, subscription.ready]);
}

/** The newest config backup; an empty one when there is none or it cannot be read. */
export async function readConfigBackup(engineFolder: string): Promise<EngineConfigBackup> {
  try {
    return configSchema.parse(JSON.parse(await readFile(fileOf(engineFolder), "utf8")));
  } catch {
    return configSchema.parse({});
  }
}

function fileOf(engineFolder: string): string {
  return `${engineFolder}.setup.json`;
}
