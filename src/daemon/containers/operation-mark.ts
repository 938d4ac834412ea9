import type { Engine } from "../../engine/engine.ts";
import type { Config } from "../../engine/resources/pools.ts";

/** The key of a container's configuration that names the operation that is about to change its files. */
export const OPERATION_MARK = "user.tremplin.operation";

/**
 * Marks a container as changed by an operation. Snapshots that are taken then bear the mark too, which tells ours
 * from somebody's of the same name; and when somebody puts the container back to another snapshot it is gone.
 */
export async function markOperation(
  engine: Engine,
  name: string,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  await engine.instances.update(
    name,
    (instance) => ({ ...instance, config: { ...instance.config, [OPERATION_MARK]: id } }),
    { signal },
  );
}

/** Which operation a container or a snapshot bears the mark of. */
export function operationOf({ config }: { readonly config: Config }): string | undefined {
  return config[OPERATION_MARK];
}

/** What the snapshots are called that operations take for themselves; the second group is the operation. */
export const OPERATION_SNAPSHOT = /^tremplin-(remap|export|upgrade)-([0-9a-f]{8}|[0-9a-f]{16})$/;

/** Takes the mark of an operation away, if the container bears it. */
export async function unmarkOperation(
  engine: Engine,
  name: string,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  const { value } = await engine.instances.get(name, { signal });
  if (operationOf(value) !== id) return;
  await engine.instances.update(
    name,
    (instance) => ({
      ...instance,
      config: Object.fromEntries(Object.entries(instance.config).filter(([key]) => key !== OPERATION_MARK)),
    }),
    { signal },
  );
}
