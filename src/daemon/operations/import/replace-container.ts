import * as z from "zod";
import { temporaryName } from "../../../base/temporary-name.ts";
import { flagText } from "../../../base/text-codecs.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import { removeBindMounts } from "../../containers/bind-mounts.ts";
import { reasonToKeepChanges } from "../../containers/changes-since.ts";
import { findRecordedContainer, identitySteps, recordIdentity } from "../../containers/container-identity.ts";
import { checkUnprotected, forceDelete, forceStop } from "../../containers/delete-container.ts";
import { findContainer, getContainer, uuidOf } from "../../containers/find-container.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext } from "../runner/operation.ts";

export const importSteps = {
  /** The container that is replaced. */
  ...identitySteps,
  /** Which container is the new one. */
  fresh: z.string(),
  /** The old container was running. */
  ran: flagText,
  /** The new container has the name. */
  swapped: flagText,
};
export type ImportContext = OperationContext<typeof importSteps>;

/** The name, and the temporary names of the new container (`fresh`) and of the old one (`aside`). */
export function namesOf(name: string, operationId: string) {
  return { name, fresh: temporaryName("import", operationId), aside: temporaryName("aside", operationId) };
}

/**
 * Throws `failed` where the container that has the name could not be deleted in the end. Checked before the import, and
 * again when the new container is whole. Returns the uuid of the container that may be replaced.
 */
export async function checkReplaceable(
  engine: Engine,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const old = await findContainer(engine, name, signal);
  if (old) checkUnprotected(old);
  return old && uuidOf(old);
}

/**
 * Replaces the container with the uuid `replaceable`, if it is still there, by the new one: two renames, then deletes
 * the old one. Throws `failed` where another container has the name by now. Only a shutdown interrupts it.
 */
export async function replaceContainer(
  deps: OperationDeps,
  containerName: string,
  replaceable: string | undefined,
  context: ImportContext,
): Promise<void> {
  const engine = deps.engine();
  const { shutdownSignal: signal, log } = context;
  const { name, fresh, aside } = namesOf(containerName, context.id);
  const old = await findContainer(engine, name, signal);
  if (old) {
    if (uuidOf(old) !== replaceable) throw madeMeanwhile(name);
    checkUnprotected(old);
    await recordIdentity(engine, old, context, signal);
  }
  await context.step("fresh", uuidOf(await getContainer(engine, fresh, signal)));
  if (old) {
    if (!isStopped(old)) await context.step("ran");
    const snapshots = (await engine.snapshots.list(name, { signal })).map((snapshot) => snapshot.name);
    if (snapshots.length > 0) log.warn({ snapshots }, "deleting the old container with its snapshots");
    await forceStop(engine, name, signal, { keep: true });
    await rename(engine, name, aside, signal);
  }
  await rename(engine, fresh, name, signal);
  await context.step("swapped");
  await removeReplaced(deps, containerName, context);
}

/** Deletes the old container, unless a user has used it since: then it gets a name that people see. */
export async function removeReplaced(
  deps: OperationDeps,
  containerName: string,
  context: ImportContext,
): Promise<void> {
  const { id, shutdownSignal, log } = context;
  const { aside } = namesOf(containerName, id);
  try {
    const engine = deps.engine();
    if (await isStillUsed(engine, containerName, context)) {
      const now = await giveVisibleName(engine, containerName, aside, shutdownSignal);
      log.warn({ now }, "a user has used the replaced container since: leaving it under this name");
    } else await forceDelete(engine, aside, shutdownSignal);
    await removeBindMounts(deps.site, deps.places, containerName);
  } catch (error) {
    shutdownSignal.throwIfAborted();
    const { code, message } = TremplinError.from(error);
    if (code === "unavailable") throw error;
    log.error({ error, aside }, "the old container could not be deleted yet");
    context.owe(`the container that was replaced is still there as ${aside}: ${message}`);
  }
}

/** A name for the old container that no other has: NAME-before-import, NAME-before-import-2 ... */
export async function unusedName(engine: Engine, name: string, signal: AbortSignal): Promise<string> {
  const prefix = `${name.slice(0, 63 - "-before-import-99".length)}-before-import`;
  for (let count = 1; ; count++) {
    const unused = count === 1 ? prefix : `${prefix}-${count}`;
    if (!(await findContainer(engine, unused, signal))) return unused;
  }
}

export async function rename(engine: Engine, from: string, to: string, signal: AbortSignal): Promise<void> {
  await (await engine.instances.rename(from, to, { signal })).wait({ signal });
}

export function isStopped({ status_code }: Instance): boolean {
  return status_code === instanceStatus.stopped;
}

/** A running container keeps its temporary name: engines rename only stopped ones. */
async function giveVisibleName(
  engine: Engine,
  name: string,
  aside: string,
  signal: AbortSignal,
): Promise<string> {
  if (!isStopped(await getContainer(engine, aside, signal))) return aside;
  const visible = await unusedName(engine, name, signal);
  await rename(engine, aside, visible, signal);
  return visible;
}

/** Whether a user has used or changed the old container since it got its temporary name. */
async function isStillUsed(engine: Engine, containerName: string, context: ImportContext): Promise<boolean> {
  const { shutdownSignal: signal } = context;
  const match = await findRecordedContainer(engine, containerName, context, signal);
  // An older version of this program did not record it.
  if (match.is !== "same" || !match.recorded) return false;
  if (match.instance.name !== namesOf(containerName, context.id).aside) return false;
  return match.wasUsedSince || (await reasonToKeepChanges(engine, match, signal)) !== undefined;
}

function madeMeanwhile(name: string): TremplinError {
  return new TremplinError(
    "failed",
    `a user created another container ${name} while the backup was read, so it was not replaced: import again to replace it`,
  );
}
