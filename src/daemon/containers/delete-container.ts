import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { wasEverStarted } from "./container-identity.ts";
import { findContainer } from "./find-container.ts";

/** The engine's own guard against deletion. */
const PROTECTION = "security.protection.delete";

/**
 * Kills a container unless it is stopped or gone. With `keep`, an ephemeral one, which the engine would delete when it
 * stops, becomes a lasting one first.
 */
export async function forceStop(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
  { keep = false } = {},
): Promise<void> {
  const found = await findContainer(engine, name, signal);
  if (!found || found.status_code === instanceStatus.stopped) return;
  if (keep && found.ephemeral) {
    await engine.instances.update(name, (instance) => ({ ...instance, ephemeral: false }), { signal });
  }
  try {
    const operation = await engine.instances.setState(name, { action: "stop", force: true }, { signal });
    await operation.wait({ signal });
  } catch (error) {
    const now = await findContainer(engine, name, signal);
    if (now && now.status_code !== instanceStatus.stopped) throw error;
  }
}

/**
 * Stops a container by force and deletes it, unless it is gone already. Throws `failed`, before it does anything, for
 * one that its owner protects against deletion.
 */
export async function forceDelete(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  const found = await findContainer(engine, name, signal);
  if (!found) return;
  checkUnprotected(found);
  await forceStop(engine, name, signal);
  try {
    await (await engine.instances.delete(name, { signal })).wait({ signal });
  } catch (error) {
    if (await findContainer(engine, name, signal)) throw error;
  }
}

/**
 * Deletes a container that never ran. False, and the container stays, when a user started it, even at this very
 * moment: this never stops one. With `own`, for a temporary container of an operation, it deletes also where a profile
 * protects all containers against deletion.
 */
export async function deleteUnused(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
  { own = false } = {},
): Promise<boolean> {
  const found = await findContainer(engine, name, signal);
  if (!found) return true;
  if (wasEverStarted(found)) return false;
  if (own && isProtected(found)) await unprotect(engine, name, signal);
  else checkUnprotected(found);
  try {
    await (await engine.instances.delete(name, { signal })).wait({ signal });
  } catch (error) {
    const now = await findContainer(engine, name, signal);
    if (now && (wasEverStarted(now) || now.status_code !== instanceStatus.stopped)) return false;
    if (now) throw error;
  }
  return true;
}

async function unprotect(engine: Engine, name: string, signal: AbortSignal | undefined): Promise<void> {
  await engine.instances.update(
    name,
    (instance) => ({ ...instance, config: { ...instance.config, [PROTECTION]: "false" } }),
    { signal },
  );
}

function isProtected({ expanded_config }: Instance): boolean {
  return expanded_config[PROTECTION] === "true";
}

/** Throws `failed` for a container that the engine refuses to delete. */
export function checkUnprotected(instance: Instance): void {
  if (!isProtected(instance)) return;
  throw new TremplinError(
    "failed",
    `${instance.name} is protected against deletion (${PROTECTION} is true): set that to false to delete it, and try again`,
  );
}
