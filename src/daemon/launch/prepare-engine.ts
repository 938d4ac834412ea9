import type { Logger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import type { Site } from "../sites/site.ts";
import { prepareContainers } from "./prepare-containers.ts";
import { prepareNetwork } from "./prepare-network.ts";
import { prepareProfile } from "./prepare-profile.ts";
import { prepareServer } from "./prepare-server.ts";
import { POOL, prepareStorage } from "./prepare-storage.ts";
import { keepSetup, readSetup } from "./recovery/engine-setup.ts";
import { findPool } from "./recovery/pool-on-disk.ts";
import { recoverContainers, type Unrecovered } from "./recovery/recover-containers.ts";
import type { Subnet } from "./subnet.ts";
import { settingsFile, WrittenSettings } from "./written-settings.ts";

export interface Preparing {
  readonly bridge: string;
  readonly subnet: Subnet | undefined;
  readonly site: Site;
  /** What {state} and {shared} mean in texts of the site. */
  readonly places: Readonly<Record<string, string>>;
  /** The folder of an engine of our own; undefined for somebody else's. */
  readonly engineFolder: string | undefined;
  /** Whether its database is a new one, into which the containers on the pool must be brought back. */
  readonly recovering: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Gives an engine what containers need (behaviour.md 3.4). Answers which containers could not be brought back. */
export async function prepareEngine(engine: Engine, preparing: Preparing): Promise<Unrecovered> {
  const { engineFolder, recovering, log, signal } = preparing;
  const attached = engineFolder === undefined;
  const settings = await WrittenSettings.open({
    file: attached ? undefined : settingsFile(engineFolder),
    deferred: recovering,
    log,
  });
  // An engine without a pool is a new one: what was written into another is not in it.
  const isNew = !recovering && !(await engine.pools.get(POOL, { signal }).catch(ifMissing));
  if (isNew) settings.forgetAllBut(new Set());
  const place = { ...preparing, attached, settings };
  await prepareNetwork(engine, place, signal);
  const unrecovered = await recover(engine, preparing);
  await prepareStorage(engine, preparing);
  if (!attached) {
    await prepareServer(engine, place);
    await prepareContainers(engine, preparing);
  }
  await prepareProfile(engine, place, signal);
  await settings.save();
  if (!attached) await keepSetup(engine, engineFolder, preparing.log);
  return unrecovered;
}

async function recover(engine: Engine, preparing: Preparing): Promise<Unrecovered> {
  const { engineFolder, recovering } = preparing;
  const onDisk = recovering && engineFolder ? await findPool(engineFolder) : undefined;
  if (!onDisk || !engineFolder) return new Map();
  return await recoverContainers(engine, { ...preparing, onDisk, setup: await readSetup(engineFolder) });
}
