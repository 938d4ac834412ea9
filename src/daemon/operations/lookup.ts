import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import type { Instance } from "../../engine/instance.ts";

/** The container of that name, if there is one. Every other error than a 404 stays an error. */
export async function findContainer(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
): Promise<Instance | undefined> {
  return (await engine.instances.get(name, { signal }).catch(ifMissing))?.value;
}

/** The container of that name. Throws `not-found` with a sentence that names it. */
export async function getContainer(engine: Engine, name: string, signal?: AbortSignal): Promise<Instance> {
  const found = await findContainer(engine, name, signal);
  if (!found) throw new TremplinError("not-found", `there is no container ${name}`);
  return found;
}

/**
 * As findContainer, and heals what an older daemon left when it died while it remapped ids: then the
 * container goes by the name NAME-crostini-recover (behaviour.md 4.1).
 */
export async function findOrHealContainer(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
): Promise<Instance | undefined> {
  const found = await findContainer(engine, name, signal);
  if (found) return found;
  const aside = `${name}-crostini-recover`;
  if (aside.length > 63 || !(await findContainer(engine, aside, signal))) return undefined;
  await (await engine.instances.rename(aside, name, { signal })).wait({ signal });
  return findContainer(engine, name, signal);
}

/** What tells a container from another one of the same name; it keeps this when it is renamed. */
export function identity({ config, created_at }: Instance): string {
  return config["volatile.uuid"] ?? created_at;
}
