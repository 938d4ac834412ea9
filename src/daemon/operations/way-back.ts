import { sentenceOf, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/instance.ts";
import type { Snapshot } from "../../engine/snapshots.ts";
import { findNoted, type Same, strangerTo } from "./container-identity.ts";
import { forceStop, settle } from "./engine-work.ts";
import { getContainer } from "./lookup.ts";
import type { OperationContext } from "./operation.ts";
import { markOperation, operationOf, unmarkOperation } from "./operation-mark.ts";

/** How long a container can be taken back after its upgrade. Milliseconds. */
const LIFETIME = 7 * 24 * 60 * 60 * 1000;
const PREFIX = "tremplin-upgrade-";
/** The step after which a container that lacks the mark of the rollback has been restored. */
const BACK = "back";
/** The step after which our snapshot is what the container holds, and only its start may be missing. */
const RESTORED = "restored";
/** The step after which nothing of a rollback is left to do. */
const UNDONE = "undone";

/** The name of the snapshot that an upgrade takes before it changes anything. */
export function wayBackName(operationId: string): string {
  return `${PREFIX}${operationId}`;
}

/** The newest snapshot that an upgrade left, if there is one. */
export async function findWayBack(
  engine: Engine,
  container: string,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  const all = (await engine.snapshots.list(container, { signal }).catch(ifMissing)) ?? [];
  return all.filter(isWayBack).sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))[0];
}

/**
 * Whether an upgrade of ours took it: the container bore the mark of that upgrade then. Older versions set no mark,
 * but a time at which it goes.
 */
export function isWayBack(snapshot: Snapshot): boolean {
  const { name, expires_at } = snapshot;
  const id = operationOf(snapshot);
  if (id !== undefined && name === wayBackName(id)) return true;
  return /^tremplin-upgrade-[0-9a-f]{8}$/.test(name) && Date.parse(expires_at) > 0;
}

/** Lets the engine delete the snapshot in seven days. */
export async function limitWayBack(
  engine: Engine,
  container: string,
  snapshot: string,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  await engine.snapshots.expire(container, snapshot, new Date(now + LIFETIME), { signal });
}

export interface Rollback {
  readonly snapshot: string;
  /** Whether the container is to run in the end. */
  readonly isToRun: boolean;
}

/**
 * Restores a container from the snapshot, and starts it if it is to run. Whatever runs in it is killed first, but
 * not before the snapshot was seen; what the engine still does on it is waited for. Where the restore fails, what
 * ran before runs again.
 */
export async function goBack(
  engine: Engine,
  container: string,
  { snapshot, isToRun }: Rollback,
  context: OperationContext,
): Promise<void> {
  const { ending: signal } = context;
  const before = await getContainer(engine, container, signal);
  if (!(await engine.snapshots.get(container, snapshot, { signal }).catch(ifMissing))) {
    throw new TremplinError(
      "failed",
      `the snapshot ${snapshot} of ${container} is gone, so the container was left as it is`,
    );
  }
  await markOperation(engine, container, markOf(context), signal);
  await context.step(BACK);
  // At once where it can be; an engine that is busy with the container is waited for first.
  const keep = { keep: true };
  await forceStop(engine, container, signal, keep).catch(() => undefined);
  await settle(engine, container, signal);
  await forceStop(engine, container, signal, keep);
  try {
    await (await engine.snapshots.restore(container, snapshot, { signal })).wait({ signal });
  } catch (error) {
    signal.throwIfAborted();
    if (TremplinError.from(error).code === "unavailable") throw error;
    const runsAgain =
      before.status_code === instanceStatus.running && (await tryStart(engine, container, context));
    throw new TremplinError(
      "failed",
      `${sentenceOf(error)}${runsAgain ? `; ${container} runs again as it was before that` : ""}`,
      error,
    );
  }
  await context.step(RESTORED);
  await end(engine, container, { snapshot, isToRun }, context);
}

/**
 * Carries on a rollback of which it is not known how far it came, or begins it. While the operation lives (`isLive`)
 * it was itself that started the container; later it may have been anybody. Answers why it kept its hands off
 * where somebody has gone on with the container meanwhile; undefined when the container is back.
 */
export async function carryOnBack(
  engine: Engine,
  container: string,
  rollback: Rollback & { readonly isLive: boolean },
  context: OperationContext,
): Promise<string | undefined> {
  const { ending: signal, steps } = context;
  if (steps[UNDONE]) return undefined;
  await settle(engine, container, signal);
  const noted = await findNoted(engine, container, context, signal);
  if (noted.is !== "same" || noted.isRenamed) return strangerTo(container, noted);
  const { instance, isUsedSince } = noted;
  if (!rollback.isLive && (await isElsewhere(engine, noted, rollback.snapshot, context))) {
    return `somebody put ${container} back to another snapshot meanwhile, so nothing more was done to it`;
  }
  if (isRestored(instance, context)) {
    await end(
      engine,
      container,
      { ...rollback, isToRun: rollback.isToRun && (rollback.isLive || !isUsedSince) },
      context,
    );
    return undefined;
  }
  if (isUsedSince && !rollback.isLive) {
    await unmarkOperation(engine, container, markOf(context), signal);
    return strangerTo(container, noted);
  }
  await goBack(engine, container, rollback, context);
  return undefined;
}

/** A restored container has the configuration of the snapshot, in which the mark of the rollback cannot be. */
function isRestored(instance: Instance, context: OperationContext): boolean {
  return BACK in context.steps && operationOf(instance) !== markOf(context);
}

/**
 * Whether somebody put it back to a snapshot of their own: then it bears neither our mark nor that of the snapshot that
 * it was to go back to. Older versions set no marks.
 */
async function isElsewhere(
  engine: Engine,
  { instance, sighting }: Same,
  snapshot: string,
  context: OperationContext,
): Promise<boolean> {
  const { id, ending: signal, steps } = context;
  if (!sighting || RESTORED in steps) return false;
  const mark = operationOf(instance);
  // Set before its step, so it may be there without that.
  if (mark === markOf(context)) return false;
  if (!(BACK in steps)) return snapshot === wayBackName(id) && mark !== id;
  const ours = await engine.snapshots.get(instance.name, snapshot, { signal }).catch(ifMissing);
  return ours === undefined || operationOf(ours) !== mark;
}

async function end(
  engine: Engine,
  container: string,
  { snapshot, isToRun }: Rollback,
  context: OperationContext,
): Promise<void> {
  const { ending: signal } = context;
  await unmarkOperation(engine, container, snapshot.slice(PREFIX.length), signal);
  const { status_code } = await getContainer(engine, container, signal);
  if (isToRun && status_code !== instanceStatus.running) {
    await (await engine.instances.setState(container, { action: "start" }, { signal })).wait({ signal });
  }
  await context.step(UNDONE);
}

async function tryStart(
  engine: Engine,
  container: string,
  { ending: signal, log }: OperationContext,
): Promise<boolean> {
  try {
    await (await engine.instances.setState(container, { action: "start" }, { signal })).wait({ signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.error({ error }, "it was not restored, and could not be started again");
    return false;
  }
}

function markOf({ id }: OperationContext): string {
  return `${id}-back`;
}
