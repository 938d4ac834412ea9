import type { Engine } from "../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../engine/instance.ts";
import { wasUsed } from "./container-identity.ts";

const CREATED = "createdByTremplin";
const FINISHED = "tremplinSetupFinished";

/**
 * Two marks in the properties of a container's metadata.yaml (not in its config, so that they travel with a
 * backup): made by us, and started successfully once (behaviour.md 2.1).
 */
export function markCreated(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  return mark(engine, name, CREATED, signal);
}

export function markFinished(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  return mark(engine, name, FINISHED, signal);
}

/**
 * Whether a container is one that we made and that was never started with success, so that the next create may take
 * its place: it bears our mark and not that of a first start, does not run, never ran whoever started it, has no
 * snapshots and is not protected. Throws where any of that cannot be read.
 */
export async function isUnfinished(
  engine: Engine,
  instance: Instance,
  signal?: AbortSignal,
): Promise<boolean> {
  const { name, status_code, expanded_config } = instance;
  if (status_code !== instanceStatus.stopped || wasUsed(instance)) return false;
  if (expanded_config["security.protection.delete"] === "true") return false;
  const { properties } = (await engine.instances.metadata(name, { signal })).value;
  if (properties?.[CREATED] !== "true" || properties[FINISHED] === "true") return false;
  return (await engine.snapshots.list(name, { signal })).length === 0;
}

async function mark(engine: Engine, name: string, key: string, signal: AbortSignal): Promise<void> {
  const { value } = await engine.instances.metadata(name, { signal });
  if (value.properties?.[key] === "true") return;
  await engine.instances.updateMetadata(
    name,
    (metadata) => ({ ...metadata, properties: { ...metadata.properties, [key]: "true" } }),
    { signal },
  );
}
