import { readFile } from "node:fs/promises";
import { replaceFile } from "../../../base/files/durable-file.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import { claimBridges } from "../network/bridge-ownership.ts";
import { configSchema, type EngineConfigBackup } from "./config-schema.ts";
import { readEngineConfig } from "./record-config.ts";

/** Lifecycle events that change it. */
const OF_SETUP = /^(network|profile|storage-pool|storage-volume|project|image|certificate|config)-/;

/** Writes down what the engine has, for the day its database is lost. The file is beside the engine's folder. */
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
 * Writes it down now and after each change, whoever makes it, until the client of the engine is disposed. An engine
 * that cannot be asked for all of it works all the same: that is only logged.
 */
export async function backUpOnChange(engine: Engine, engineFolder: string, log: Logger): Promise<void> {
  const record = () =>
    recordConfig(engine, engineFolder).catch((error) =>
      log.warn({ error }, "what the engine holds is not written down yet"),
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
    if (event.type === "lifecycle" && OF_SETUP.test(event.metadata.action)) changed();
  });
  await Promise.all([writing, subscription.ready]);
}

/** What was written down last; nothing when there is none that can be read. */
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
