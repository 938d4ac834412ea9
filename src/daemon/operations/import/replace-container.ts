import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import { removeBindMounts } from "../../containers/bind-mounts.ts";
import { changeSince, findNotedContainer, noteContainer } from "../../containers/container-identity.ts";
import {
  checkUnprotected,
  deleteUnused,
  forceDelete,
  forceStop,
  waitForOwnOperations,
  waitForPendingOperations,
} from "../../containers/delete-container.ts";
import { findContainer, getContainer, identity } from "../../containers/find-container.ts";
import { temporaryName } from "../../containers/temporary-name.ts";
import type { Steps } from "../../notices/journal.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext } from "../runner/operation.ts";

/** The new container under its temporary name, the old one's name, and the name the old one has meanwhile. */
function namesOf(name: string, id: string) {
  return { name, fresh: temporaryName("import", id), aside: temporaryName("aside", id) };
}

/** Steps in the journal: which container is the new one; that the old one ran; that the new one has the name. */
const FRESH = "fresh";
const RAN = "ran";
const SWAPPED = "swapped";

/** What an import left when it stopped: whether the new container is in place, and what a person should know. */
export interface Replacement {
  readonly inPlace: boolean;
  readonly remark: string;
}

/**
 * Throws `failed` where the container that has the name could not go in the end: then nothing is begun. Looked at
 * again when the new one is whole. Answers which container it is.
 */
export async function checkReplaceable(
  engine: Engine,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const old = await findContainer(engine, name, signal);
  if (old) checkUnprotected(old);
  return old && identity(old);
}

/**
 * Puts a new container in the place of `replaceable`, if that is still there: by two renames, the old one deleted
 * last. Throws `failed` where another one has the name by now. Only the daemon's end interrupts it.
 */
export async function replaceContainer(
  tools: OperationDeps,
  containerName: string,
  replaceable: string | undefined,
  context: OperationContext,
): Promise<void> {
  const engine = tools.engine();
  const { shutdownSignal: signal, log } = context;
  const { name, fresh, aside } = namesOf(containerName, context.id);
  const old = await findContainer(engine, name, signal);
  if (old) {
    if (identity(old) !== replaceable) throw madeMeanwhile(name);
    checkUnprotected(old);
    await noteContainer(engine, old, context, signal);
  }
  await context.step(FRESH, identity(await getContainer(engine, fresh, signal)));
  if (old) {
    if (old.status_code !== instanceStatus.stopped) await context.step(RAN);
    const snapshots = (await engine.snapshots.list(name, { signal })).map((snapshot) => snapshot.name);
    if (snapshots.length > 0) log.warn({ snapshots }, "the old container's snapshots go with it");
    await forceStop(engine, name, signal, { keep: true });
    await rename(engine, name, aside, signal);
  }
  await rename(engine, fresh, name, signal);
  await context.step(SWAPPED);
  await removeOld(tools, containerName, context);
}

/**
 * Cleans up after an import that stopped anywhere. Where the new container has the name already the old one goes;
 * else the new one goes and the old one has its name again, and runs if it did. What has the name meanwhile because
 * somebody made it is left alone: then the old one gets a name under which it can be seen. Safe to repeat.
 */
export async function undoReplacement(
  tools: OperationDeps,
  containerName: string,
  context: OperationContext,
): Promise<Replacement> {
  const engine = tools.engine();
  const { shutdownSignal: signal, steps } = context;
  const { name, fresh, aside } = namesOf(containerName, context.id);
  await waitForOwnOperations(engine, fresh, signal);
  const isSwapping = FRESH in steps;
  // Before the swap began, nothing that happens to the old container is ours.
  for (const each of isSwapping ? [name, aside] : []) await waitForPendingOperations(engine, each, signal);
  if (isSwapping && (await isInPlace(engine, name, steps, signal))) {
    await removeOld(tools, containerName, context);
    return { inPlace: true, remark: "" };
  }
  const given = isSwapping ? await giveNameBack(engine, { name, aside }, context) : "";
  await removeFresh(engine, fresh, context);
  const isTaken = SWAPPED in steps;
  const remark =
    given || (isTaken ? `somebody took the new container away, so ${name} is the one of before` : "");
  return { inPlace: false, remark };
}

/** Somebody may have renamed the new container since it was in place, but not deleted it: else the old one is needed. */
async function isInPlace(engine: Engine, name: string, steps: Steps, signal: AbortSignal): Promise<boolean> {
  const found = await findContainer(engine, name, signal);
  if (found && identity(found) === steps[FRESH]) return true;
  if (!(SWAPPED in steps)) return false;
  return (await engine.instances.list({ signal })).some((each) => identity(each) === steps[FRESH]);
}

/** The old container first: whatever goes wrong afterwards, it is there under a name that people see. */
async function giveNameBack(
  engine: Engine,
  { name, aside }: { name: string; aside: string },
  context: OperationContext,
): Promise<string> {
  const { shutdownSignal: signal } = context;
  const old = await findContainer(engine, aside, signal);
  let now = name;
  if (old) {
    now = (await findContainer(engine, name, signal)) ? await freeName(engine, name, signal) : name;
    await rename(engine, aside, now, signal);
  }
  await startAgain(engine, name, now, context);
  return now === name
    ? ""
    : `somebody made another container ${name} meanwhile, so the one of before is called ${now} now`;
}

async function freeName(engine: Engine, name: string, signal: AbortSignal): Promise<string> {
  for (let count = 1; ; count++) {
    const free = `${name.slice(0, 63 - "-before-import-99".length)}-before-import${count === 1 ? "" : `-${count}`}`;
    if (!(await findContainer(engine, free, signal))) return free;
  }
}

/** A person may have started to use what was not in place yet. */
async function removeFresh(
  engine: Engine,
  fresh: string,
  { shutdownSignal, log }: OperationContext,
): Promise<void> {
  if (!(await deleteUnused(engine, fresh, shutdownSignal, { own: true }))) {
    log.warn({ fresh }, "somebody started the unfinished container: it is left");
  }
}

async function removeOld(
  tools: OperationDeps,
  containerName: string,
  context: OperationContext,
): Promise<void> {
  const { id, shutdownSignal, log } = context;
  const { aside } = namesOf(containerName, id);
  try {
    const engine = tools.engine();
    if (await isWanted(engine, containerName, context)) {
      const now = await giveVisibleName(engine, containerName, aside, shutdownSignal);
      log.warn({ now }, "somebody went on with the container that was replaced: it is left under this name");
    } else await forceDelete(engine, aside, shutdownSignal);
    await removeBindMounts(tools.site, tools.places, containerName);
  } catch (error) {
    shutdownSignal.throwIfAborted();
    const { code, message } = TremplinError.from(error);
    if (code === "unavailable") throw error;
    log.error({ error, aside }, "the old container could not be deleted yet");
    context.owe(`the container that was replaced is still there as ${aside}: ${message}`);
  }
}

/** Where it runs it keeps the name that it has: no engine renames it then. */
async function giveVisibleName(
  engine: Engine,
  name: string,
  aside: string,
  signal: AbortSignal,
): Promise<string> {
  if (!isStopped(await getContainer(engine, aside, signal))) return aside;
  const free = await freeName(engine, name, signal);
  await rename(engine, aside, free, signal);
  return free;
}

/** Whether somebody went on with the old container while it was set aside. */
async function isWanted(engine: Engine, containerName: string, context: OperationContext): Promise<boolean> {
  const { shutdownSignal: signal } = context;
  const noted = await findNotedContainer(engine, containerName, context, signal);
  // An older version of this program did not note it.
  if (noted.is !== "same" || !noted.sighting) return false;
  if (noted.instance.name !== namesOf(containerName, context.id).aside) return false;
  return noted.isUsedSince || (await changeSince(engine, noted, signal)) !== undefined;
}

/** Only the very container that the import stopped, and only if nobody has used it since. */
async function startAgain(
  engine: Engine,
  name: string,
  now: string,
  context: OperationContext,
): Promise<void> {
  if (!context.steps[RAN]) return;
  const { shutdownSignal: signal, log } = context;
  const noted = await findNotedContainer(engine, name, context, signal);
  if (noted.is !== "same" || noted.instance.name !== now || noted.isUsedSince || !isStopped(noted.instance)) {
    return;
  }
  try {
    await (await engine.instances.setState(now, { action: "start" }, { signal })).wait({ signal });
  } catch (error) {
    signal.throwIfAborted();
    if (TremplinError.from(error).code === "unavailable") throw error;
    log.error({ error }, "the container is as it was, but could not be started again");
  }
}

function madeMeanwhile(name: string): TremplinError {
  return new TremplinError(
    "failed",
    `somebody made another container ${name} while the backup was read; it is left as it is: import again if it may go`,
  );
}

function isStopped({ status_code }: Instance): boolean {
  return status_code === instanceStatus.stopped;
}

async function rename(engine: Engine, from: string, to: string, signal: AbortSignal): Promise<void> {
  await (await engine.instances.rename(from, to, { signal })).wait({ signal });
}
