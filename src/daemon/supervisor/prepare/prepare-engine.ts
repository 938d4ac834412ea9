import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import { DEFAULT_PROJECT } from "../../../engine/resources/projects.ts";
import type { Site } from "../../sites/site.ts";
import { backUpOnChange } from "../config-backup/config-backup.ts";
import type { EngineConfigBackup } from "../config-backup/config-schema.ts";
import { completeProfiles, restoreConfig } from "../config-backup/restore-config.ts";
import { restoreContents } from "../config-backup/restore-contents.ts";
import { type MissingItems, RestoreLog } from "../config-backup/restore-log.ts";
import { readWanted } from "../config-backup/wanted-config.ts";
import { markOptional } from "../database-reset/missing-sources.ts";
import { findPool } from "../database-reset/pool-on-disk.ts";
import { recoverContainers } from "../database-reset/recover-containers.ts";
import { routeNames } from "../network/route-names.ts";
import type { Subnet } from "../network/subnet.ts";
import { prepareContainers } from "./prepare-containers.ts";
import { networkPart, prepareNetwork } from "./prepare-network.ts";
import { DEVICES_PART, PROFILE, prepareProfile, profileParts } from "./prepare-profile.ts";
import { prepareServer, SERVER_PART } from "./prepare-server.ts";
import { POOL, prepareStorage } from "./prepare-storage.ts";
import { settingsFile, WrittenSettings } from "./written-settings.ts";

export interface PrepareOptions {
  readonly bridge: string;
  readonly subnet: Subnet | undefined;
  readonly site: Site;
  /** The values of {state} and {shared} in texts of the site. */
  readonly places: Readonly<Record<string, string>>;
  /** The folder of a managed engine; undefined for an external one. */
  readonly engineFolder: string | undefined;
  /** Whether its database is new, and the containers of the pool must be imported. */
  readonly recovering: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Prepares an engine for containers. Returns what of an old database could not be restored. */
export async function prepareEngine(engine: Engine, preparing: PrepareOptions): Promise<MissingItems> {
  const { engineFolder, recovering, log, signal } = preparing;
  const attached = engineFolder === undefined;
  const settings = await WrittenSettings.open({
    file: attached ? undefined : settingsFile(engineFolder),
    deferred: recovering,
    log,
  });
  const place = { ...preparing, attached, settings };
  const restoring = new RestoreLog(preparing);
  if (recovering && engineFolder) {
    await restoreAll(engine, { ...place, engineFolder, restoring });
  } else {
    // An engine without a pool is new: no recorded setting is in it.
    const isNew = !(await engine.pools.get(POOL, { signal }).catch(ifMissing));
    if (isNew) settings.forgetAllBut(new Set());
    await prepareNetwork(engine, place, signal);
    await prepareStorage(engine, preparing);
  }
  if (!attached) {
    await routeNames(engine, preparing.bridge, preparing);
    await prepareServer(engine, place);
    await prepareContainers(engine, preparing);
  }
  await prepareProfile(engine, place, signal);
  await settings.save();
  if (!attached) await backUpOnChange(engine, engineFolder, preparing.log);
  return restoring.missing;
}

interface RestoreOptions extends PrepareOptions {
  readonly engineFolder: string;
  readonly attached: boolean;
  readonly settings: WrittenSettings;
  readonly restoring: RestoreLog;
}

/** Restores the content of the old database: what containers refer to, the containers, the rest. */
async function restoreAll(engine: Engine, place: RestoreOptions): Promise<void> {
  const { engineFolder, settings, restoring, signal } = place;
  const { setup } = await readWanted(engineFolder, place.log);
  const restore = { engine, setup, restoring };
  settings.forgetAllBut(new Set(restoredParts(setup, place.bridge)));
  await settings.follow<Config>(DEVICES_PART, markOptional);
  await restoreConfig(restore);
  await prepareNetwork(engine, place, signal);
  const onDisk = await findPool(engineFolder, engine.flavor.layout);
  if (onDisk) await recoverContainers({ ...place, ...restore, onDisk });
  await prepareStorage(engine, place);
  await completeProfiles(restore);
  await restoreContents({ ...restore, engineFolder });
}

/** The parts of the recorded settings that the restore writes into the new database as they were. */
function restoredParts({ networks, profiles, server }: EngineConfigBackup, bridge: string): string[] {
  const isOfDefault = ({ project }: { project: string }) => project === DEFAULT_PROJECT;
  return [
    ...networks
      .filter((each) => isOfDefault(each) && each.name === bridge)
      .map(({ name }) => networkPart(name)),
    ...profiles.filter((each) => isOfDefault(each) && each.name === PROFILE).flatMap(() => profileParts),
    ...(server ? [SERVER_PART] : []),
  ];
}
