import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Instance } from "../../engine/resources/instance.ts";

/** The container of that name. Undefined only where the engine answers 404; every other error stays an error. */
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
 * Like `findContainer`, and renames a container that an older daemon left under the name NAME-crostini-recover when it
 * died during an id shift. Does not rename while an operation has the lock, which may be about to use the name.
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
  const orphaned = `${name}-crostini-recover`;
  if (found || orphaned.length > 63 || runner.locks.holder(name)) return found;
  using _lock = runner.hold("heal", name);
  if (!(await findContainer(engine, orphaned, signal))) return undefined;
  const taken = await findContainer(engine, name, signal);
  if (taken) return taken;
  await (await engine.instances.rename(orphaned, name, { signal })).wait({ signal });
  return findContainer(engine, name, signal);
}

/** Differs between two containers of the same name, and stays the same when a container is renamed. */
export function uuidOf({ config, created_at }: Instance): string {
  return config["volatile.uuid"] ?? created_at;
}
