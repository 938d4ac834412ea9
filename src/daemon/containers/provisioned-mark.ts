import type { Engine } from "../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { wasEverStarted } from "./container-identity.ts";
import { getContainer, uuidOf } from "./find-container.ts";

const CREATED = "createdByTremplin";
/** Which container the mark was made for: its backups, copies and images carry it too, and hold a user's data. */
const CREATED_AS = "createdByTremplinAs";
const FINISHED = "tremplinSetupFinished";
/** What the engine itself writes into the config of a new container. */
const ENGINE_KEY = /^(volatile|image)\./;

/** Marks a container as created by this daemon, in its metadata.yaml rather than its config: backups include that. */
export async function markCreated(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  const createdAs = uuidOf(await getContainer(engine, name, signal));
  await mark(engine, name, { [CREATED]: "true", [CREATED_AS]: createdAs }, signal);
}

/** Marks a container as provisioned: started successfully once, or set up for a primary user. */
export async function markProvisioned(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  await mark(engine, name, { [FINISHED]: "true" }, signal);
}

/**
 * Whether a create may replace a container: this daemon created it, it was never provisioned nor started, and it has no
 * snapshots, devices or config of its own. Throws where any of that cannot be read.
 */
export async function isUnprovisioned(
  engine: Engine,
  instance: Instance,
  signal?: AbortSignal,
): Promise<boolean> {
  const { name, status_code, config, devices, expanded_config } = instance;
  if (status_code !== instanceStatus.stopped || wasEverStarted(instance)) return false;
  if (expanded_config["security.protection.delete"] === "true") return false;
  if (Object.keys(devices).length > 0 || !Object.keys(config).every((key) => ENGINE_KEY.test(key)))
    return false;
  const { properties } = (await engine.instances.metadata(name, { signal })).value;
  if (properties?.[CREATED] !== "true" || properties[FINISHED] === "true") return false;
  if (properties[CREATED_AS] !== uuidOf(instance)) return false;
  return (await engine.snapshots.list(name, { signal })).length === 0;
}

async function mark(
  engine: Engine,
  name: string,
  marks: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const { properties } = (await engine.instances.metadata(name, { signal })).value;
  if (Object.entries(marks).every(([key, value]) => properties?.[key] === value)) return;
  await engine.instances.updateMetadata(
    name,
    (metadata) => ({ ...metadata, properties: { ...metadata.properties, ...marks } }),
    { signal },
  );
}
