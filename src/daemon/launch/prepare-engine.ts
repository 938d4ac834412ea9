import type { Logger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Site } from "../sites/site.ts";
import { prepareContainers } from "./prepare-containers.ts";
import { prepareNetwork } from "./prepare-network.ts";
import { prepareProfile } from "./prepare-profile.ts";
import { prepareStorage } from "./prepare-storage.ts";
import { keepSetup, readSetup } from "./recovery/engine-setup.ts";
import { findPool } from "./recovery/pool-on-disk.ts";
import { recoverContainers, type Unrecovered } from "./recovery/recover-containers.ts";
import type { Subnet } from "./subnet.ts";

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
  const { engineFolder, signal } = preparing;
  const attached = engineFolder === undefined;
  // What runs on the engine's side must not hold up its end (behaviour.md 2.8).
  if (!attached) {
    await engine.server.updateConfig((config) => ({ ...config, "core.shutdown_timeout": "0" }), { signal });
  }
  await prepareNetwork(engine, { ...preparing, attached }, signal);
  const unrecovered = await recover(engine, preparing);
  await prepareStorage(engine, preparing);
  if (!attached) await prepareContainers(engine, preparing);
  await prepareProfile(engine, { ...preparing, attached }, signal);
  if (!attached) await keepSetup(engine, engineFolder, preparing.log);
  return unrecovered;
}

async function recover(engine: Engine, preparing: Preparing): Promise<Unrecovered> {
  const { engineFolder, recovering } = preparing;
  const onDisk = recovering && engineFolder ? await findPool(engineFolder) : undefined;
  if (!onDisk || !engineFolder) return new Map();
  return await recoverContainers(engine, { ...preparing, onDisk, setup: await readSetup(engineFolder) });
}
