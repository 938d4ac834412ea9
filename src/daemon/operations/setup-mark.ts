import type { Engine } from "../../engine/engine.ts";

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

/** Whether a container is whole: not made by us, or started once (behaviour.md 4.2). */
export async function isSetUp(engine: Engine, name: string, signal?: AbortSignal): Promise<boolean> {
  const { value } = await engine.instances.metadata(name, { signal });
  const { properties } = value;
  return properties?.[CREATED] !== "true" || properties[FINISHED] === "true";
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
