import { isUnavailable } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { findRecordedContainer } from "../../containers/container-identity.ts";
import { deleteUnused } from "../../containers/delete-container.ts";
import { findContainer, uuidOf } from "../../containers/find-container.ts";
import { cancelPendingOperations, waitForPendingOperations } from "../../containers/pending-operations.ts";
import { startInstance } from "../../containers/start-instance.ts";
import type { OperationDeps } from "../operation-deps.ts";
import {
  type ImportContext,
  isStopped,
  namesOf,
  removeReplaced,
  rename,
  unusedName,
} from "./replace-container.ts";

/** The state of an interrupted import after its recovery. */
export interface RecoveredReplacement {
  /** Whether the new container has the name. */
  readonly isReplaced: boolean;
  /** What a person should know; may be empty. */
  readonly remark: string;
}

/**
 * Rolls an interrupted replacement forward where the new container has the name already: deletes the old one. Otherwise
 * rolls it back: deletes the new container, gives the old one its name, and starts it if it was running. Where another
 * container has the name by now, the old one is called NAME-before-import.
 */
export async function recoverReplacement(
  deps: OperationDeps,
  containerName: string,
  context: ImportContext,
): Promise<RecoveredReplacement> {
  const engine = deps.engine();
  const { shutdownSignal: signal, steps } = context;
  const { name, fresh, aside } = namesOf(containerName, context.id);
  await cancelPendingOperations(engine, fresh, signal);
  // Before this step the import has not touched the old container.
  const hasBegun = steps.fresh !== undefined;
  for (const each of hasBegun ? [name, aside] : []) await waitForPendingOperations(engine, each, signal);
  if (hasBegun && (await isReplaced(engine, name, context))) {
    await removeReplaced(deps, containerName, context);
    return { isReplaced: true, remark: "" };
  }
  const renamed = hasBegun ? await renameBack(engine, { name, aside }, context) : "";
  await removeFresh(engine, fresh, context);
  const isFreshGone = steps.swapped;
  const remark =
    renamed || (isFreshGone ? `a user deleted the new container, so ${name} is the old one again` : "");
  return { isReplaced: false, remark };
}

/** A user may have renamed the new container since. If a user deleted it, the old one is needed. */
async function isReplaced(
  engine: Engine,
  name: string,
  { steps, shutdownSignal: signal }: ImportContext,
): Promise<boolean> {
  const found = await findContainer(engine, name, signal);
  if (found && uuidOf(found) === steps.fresh) return true;
  if (!steps.swapped) return false;
  return (await engine.instances.list({ signal })).some((each) => uuidOf(each) === steps.fresh);
}

/** Comes before the new container is deleted: if that fails, the old one has a name that people see. */
async function renameBack(
  engine: Engine,
  { name, aside }: { readonly name: string; readonly aside: string },
  context: ImportContext,
): Promise<string> {
  const { shutdownSignal: signal } = context;
  const old = await findContainer(engine, aside, signal);
  let now = name;
  if (old) {
    now = (await findContainer(engine, name, signal)) ? await unusedName(engine, name, signal) : name;
    await rename(engine, aside, now, signal);
  }
  await startAgain(engine, name, now, context);
  return now === name
    ? ""
    : `a user created another container ${name} meanwhile, so the old one was renamed to ${now}`;
}

async function removeFresh(
  engine: Engine,
  fresh: string,
  { shutdownSignal, log }: ImportContext,
): Promise<void> {
  if (!(await deleteUnused(engine, fresh, shutdownSignal, { own: true }))) {
    log.warn({ fresh }, "a user started the temporary container: leaving it");
  }
}

/** Starts only the very container that the import stopped, and only if nobody has used it since. */
async function startAgain(engine: Engine, name: string, now: string, context: ImportContext): Promise<void> {
  const { shutdownSignal: signal, steps, log } = context;
  if (!steps.ran) return;
  const match = await findRecordedContainer(engine, name, context, signal);
  if (match.is !== "same" || match.wasUsedSince) return;
  if (match.instance.name !== now || !isStopped(match.instance)) return;
  try {
    await startInstance(engine, now, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    log.error({ error }, "the old container is back, but could not be started again");
  }
}
