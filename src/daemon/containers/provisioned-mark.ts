import type { Engine } from "../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { wasUsed } from "./container-identity.ts";
import { getContainer, identity } from "./find-container.ts";

const CREATED = "createdByTremplin";
/** Which container that was said of: backups, copies and images of it bear the mark too, and hold somebody's data. */
const CREATED_AS = "createdByTremplinAs";
const FINISHED = "tremplinSetupFinished";
/** What the engine itself writes into the configuration of a new container. */
const ENGINES_OWN = /^(volatile|image)\./;

/**
 * Two marks in the properties of a container's metadata.yaml (not in its config, so that they travel with a
 * backup): made by us, and in use: started successfully once, or set up for a person.
 */
export async function markCreated(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  const createdAs = identity(await getContainer(engine, name, signal));
  await mark(engine, name, { [CREATED]: "true", [CREATED_AS]: createdAs }, signal);
}

export async function markProvisioned(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
  await mark(engine, name, { [FINISHED]: "true" }, signal);
}

/**
 * Whether a container is one that we made and that nobody used, so that the next create may take its place: it bears
 * our mark, made for this very container, and not that of its use, does not run, never ran whoever started it, has no
 * snapshots, devices or configuration of its own. Throws where any of that cannot be read.
 */
export async function isUnprovisioned(
  engine: Engine,
  instance: Instance,
  signal?: AbortSignal,
): Promise<boolean> {
  const { name, status_code, config, devices, expanded_config } = instance;
  if (status_code !== instanceStatus.stopped || wasUsed(instance)) return false;
  if (expanded_config["security.protection.delete"] === "true") return false;
  if (Object.keys(devices).length > 0 || !Object.keys(config).every((key) => ENGINES_OWN.test(key)))
    return false;
  const { properties } = (await engine.instances.metadata(name, { signal })).value;
  if (properties?.[CREATED] !== "true" || properties[FINISHED] === "true") return false;
  if (properties[CREATED_AS] !== identity(instance)) return false;
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
