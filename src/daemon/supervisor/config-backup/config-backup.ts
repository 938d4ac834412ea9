import { type ErrorLog, JsonFile } from "../../../base/files/json-file.ts";
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
  log: ErrorLog,
  signal?: AbortSignal,
): Promise<void> {
  const setup = await readEngineConfig(engine, signal);
  await fileOf(engineFolder).write(setup);
  const bridges = setup.networks.filter(({ type }) => type === "bridge");
  await claimBridges(
    engineFolder,
    bridges.map(({ name }) => name),
    log,
  );
}

/**
 * Saves the engine's configuration now and after each change, by whichever client, until `engine` is disposed. A
 * failure is only logged, because the engine works without a backup.
 */
export async function backUpOnChange(engine: Engine, engineFolder: string, log: Logger): Promise<void> {
  const record = () =>
    recordConfig(engine, engineFolder, log).catch((error) =>
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

/** The newest config backup; an empty one when there is none or it is damaged. */
export async function readConfigBackup(engineFolder: string, log: ErrorLog): Promise<EngineConfigBackup> {
  return (await fileOf(engineFolder).readOrSetAside(log)) ?? configSchema.parse({});
}

function fileOf(engineFolder: string) {
  return new JsonFile({
    path: `${engineFolder}.setup.json`,
    schema: configSchema,
    without: "the configuration of the engine is saved again as soon as it runs",
  });
}
