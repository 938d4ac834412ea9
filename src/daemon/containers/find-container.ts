import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Instance } from "../../engine/resources/instance.ts";

/** The container of that name, if there is one. Every other error than a 404 stays an error. */
export async function findContainer(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
): Promise<Instance | undefined> {
  return (await engine.instances.get(name, { signal }).catch(ifMissing))?.value;
}

/** The sentence that says that a container does not exist. */
export function noSuchContainer(name: string): string {
  return `there is no container ${name}`;
}

/** The container of that name. Throws `not-found` with a sentence that names it. */
export async function getContainer(engine: Engine, name: string, signal?: AbortSignal): Promise<Instance> {
  const found = await findContainer(engine, name, signal);
  if (!found) throw new TremplinError("not-found", noSuchContainer(name));
  return found;
}

/**
 * As findContainer, and heals what an older daemon left when it died while it remapped ids: then the
 * container goes by the name NAME-crostini-recover. Not while an operation has the container: it may be about to
 * give that name to another one.
 */
export async function findOrRepairContainer(
  engine: Engine,
  runner: {
    hold(kind: string, container: string): Disposable;
    readonly locks: { holder(container: string): unknown };
  },
  name: string,
  signal?: AbortSignal,
): Promise<Instance | undefined> {
  const found = await findContainer(engine, name, signal);
  const aside = `${name}-crostini-recover`;
  if (found || aside.length > 63 || runner.locks.holder(name)) return found;
  using _lock = runner.hold("heal", name);
  if (!(await findContainer(engine, aside, signal))) return undefined;
  const taken = await findContainer(engine, name, signal);
  if (taken) return taken;
  await (await engine.instances.rename(aside, name, { signal })).wait({ signal });
  return findContainer(engine, name, signal);
}

/** What tells a container from another one of the same name; it keeps this when it is renamed. */
export function identity({ config, created_at }: Instance): string {
  return config["volatile.uuid"] ?? created_at;
}
