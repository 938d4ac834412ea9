import type { Engine } from "../../engine/engine.ts";
import type { Config } from "../../engine/resources/pools.ts";

/** The key in a container's config with the id of the operation that is about to change its files. */
export const OPERATION_MARK = "user.tremplin.operation";

/**
 * Marks a container that an operation is about to change. Its snapshots carry the mark from then on, which distinguishes
 * the operation's own from a user's of the same name. A container that a user restored from another snapshot has lost
 * it.
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

/** The operation whose mark a container or a snapshot carries. */
export function operationOf({ config }: { readonly config: Config }): string | undefined {
  return config[OPERATION_MARK];
}

/** The names of snapshots that operations take; the second group is the id of the operation. */
export const OPERATION_SNAPSHOT = /^tremplin-(remap|export|upgrade)-([0-9a-f]{8}|[0-9a-f]{16})$/;

/** Removes the mark of an operation; leaves the mark of another one. */
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
