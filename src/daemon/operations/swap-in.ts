import type { Engine } from "../../engine/engine.ts";
import { instanceStatus } from "../../engine/instance.ts";
import { removeBindMounts } from "./bind-mounts.ts";
import { forceStop, remove, settle } from "./engine-work.ts";
import { findContainer, getContainer, identity } from "./lookup.ts";
import type { OperationContext } from "./operation.ts";
import { temporaryName } from "./temporary-name.ts";
import type { Tools } from "./tools.ts";

/** The new container under its temporary name, the old one's name, and the name the old one has meanwhile. */
function namesOf(name: string, id: string) {
  return { name, fresh: temporaryName("import", id), aside: temporaryName("aside", id) };
}

/** Steps in the journal: which container is the new one, and that the old one ran. */
const FRESH = "fresh";
const RAN = "ran";

/**
 * Puts a new container in the place of the one that has the name, if there is one: by two renames, the old one
 * deleted last (behaviour.md 12 item 59). Only the daemon's end interrupts it.
 */
export async function swapIn(tools: Tools, containerName: string, context: OperationContext): Promise<void> {
  const engine = tools.engine();
  const { ending: signal } = context;
  const { name, fresh, aside } = namesOf(containerName, context.id);
  await context.step(FRESH, identity(await getContainer(engine, fresh, signal)));
  const old = await findContainer(engine, name, signal);
  if (old) {
    if (old.status_code !== instanceStatus.stopped) await context.step(RAN);
    const snapshots = (await engine.snapshots.list(name, { signal })).map((snapshot) => snapshot.name);
    if (snapshots.length > 0) context.log.warn({ snapshots }, "the old container's snapshots go with it");
    await forceStop(engine, name, signal);
    await rename(engine, name, aside, signal);
  }
  await rename(engine, fresh, name, signal);
  await removeOld(tools, containerName, context);
}

/**
 * Puts things right after an import stopped anywhere, and tells whether the new container is in place. If not, the
 * old one has its name again and runs if it did. Safe to repeat.
 */
export async function putRight(
  tools: Tools,
  containerName: string,
  context: OperationContext,
): Promise<boolean> {
  const engine = tools.engine();
  const { ending: signal } = context;
  const { name, fresh, aside } = namesOf(containerName, context.id);
  const swapping = context.steps[FRESH];
  // Before the swap began, nothing that happens to the old container is ours.
  for (const each of swapping ? [fresh, name, aside] : [fresh]) await settle(engine, each, signal);
  const found = await findContainer(engine, name, signal);
  if (swapping && found && identity(found) === swapping) {
    await removeOld(tools, containerName, context);
    return true;
  }
  // Its name first: whatever goes wrong afterwards, the old container is there.
  if (swapping && !found && (await findContainer(engine, aside, signal))) {
    await rename(engine, aside, name, signal);
  }
  if (context.steps[RAN]) await startAgain(engine, name, context);
  await remove(engine, fresh, signal);
  return false;
}

async function removeOld(
  tools: Tools,
  containerName: string,
  { id, ending }: OperationContext,
): Promise<void> {
  const { aside } = namesOf(containerName, id);
  if (await findContainer(tools.engine(), aside, ending)) {
    await remove(tools.engine(), aside, ending);
  }
  await removeBindMounts(tools.site, tools.places, containerName);
}

async function startAgain(engine: Engine, name: string, { log }: OperationContext): Promise<void> {
  const found = await findContainer(engine, name);
  if (found?.status_code !== instanceStatus.stopped) return;
  try {
    await (await engine.instances.setState(name, { action: "start" })).wait();
  } catch (error) {
    log.error({ error }, "the container is as it was, but could not be started again");
  }
}

async function rename(engine: Engine, from: string, to: string, signal: AbortSignal): Promise<void> {
  await (await engine.instances.rename(from, to, { signal })).wait({ signal });
}
