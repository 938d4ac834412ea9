import { stat } from "node:fs/promises";
import * as z from "zod";
import type { Engine } from "../../engine/engine.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { ifHidden, instanceFolder } from "../../engine/storage/local-paths.ts";
import type { OperationContext } from "../operations/runner/operation.ts";
import { settingsText } from "./container-settings.ts";
import { findContainer } from "./find-container.ts";
import { OPERATION_SNAPSHOT } from "./operation-mark.ts";

/** The step of the journal that says which container an operation began with. */
const CONTAINER = "container";
/** What the engine calls the time of a first start that has not been. */
const NEVER = 0;

/**
 * A container as an operation found it: who it is, whatever name it has later, and what the engine last did with
 * it. A backup that somebody imports brings its uuid and its times along, so for an engine on this machine it also
 * counts when its folder was made.
 */
const sightingSchema = z.object({
  uuid: z.string(),
  createdAt: z.string(),
  usedAt: z.string(),
  /** Nanoseconds since 1970; empty where the folder cannot be seen. */
  folderMadeAt: z.string(),
  /** The id map of the files on disk. */
  idMap: z.string(),
  /** What can be set in it, and its snapshots. Missing where an older version of this program wrote it. */
  settings: z.string().optional(),
  snapshots: z.array(z.string()).optional(),
});
export type Sighting = z.infer<typeof sightingSchema>;

/** What became of the container that an operation began with. */
export type NotedContainer =
  | { readonly is: "gone" }
  /** Somebody else has its name. */
  | { readonly is: "another"; readonly instance: Instance }
  | SameContainer;

export interface SameContainer {
  readonly is: "same";
  readonly instance: Instance;
  /** It was started since, by us or by somebody. */
  readonly isUsedSince: boolean;
  readonly isRenamed: boolean;
  /** Undefined where an older version of this program wrote the entry. */
  readonly sighting: Sighting | undefined;
}

/** Writes down which container the operation works on: the first step of each that may change one. */
export async function noteContainer(
  engine: Engine,
  instance: Instance,
  { step }: Pick<OperationContext, "step">,
  signal: AbortSignal,
): Promise<void> {
  await step(CONTAINER, JSON.stringify(await sight(engine, instance, signal)));
}

/** Finds the container that the operation began with. Nothing that a name alone says is believed. */
export async function findNotedContainer(
  engine: Engine,
  name: string,
  context: Pick<OperationContext, "steps" | "startedAt">,
  signal?: AbortSignal,
): Promise<NotedContainer> {
  const noted = context.steps[CONTAINER];
  const named = await findContainer(engine, name, signal);
  if (noted === undefined) return byTimes(named, context.startedAt);
  const sighting = sightingSchema.parse(JSON.parse(noted));
  if (named && (await isSame(engine, named, sighting))) return same(named, sighting, false);
  for (const instance of await engine.instances.list({ signal })) {
    if (instance.name !== name && (await isSame(engine, instance, sighting))) {
      return same(instance, sighting, true);
    }
  }
  return named ? { is: "another", instance: named } : { is: "gone" };
}

/** Whether an operation came so far as to note its container. */
export function hasNotedContainer({ steps }: Pick<OperationContext, "steps">): boolean {
  return CONTAINER in steps;
}

/** Whether it was ever started. */
export function wasUsed({ last_used_at }: Instance): boolean {
  return Date.parse(last_used_at) > NEVER;
}

/**
 * Why an interrupted operation keeps its hands off what is there now: it is another container, or somebody went on
 * with it. Undefined where it is the container of then, as it was left.
 */
export function describeStranger(name: string, noted: NotedContainer): string | undefined {
  if (noted.is === "gone") return `there is no container ${name} any more`;
  if (noted.is === "another") {
    return `the container ${name} is another one than the one that this was asked for, so nothing was done to it`;
  }
  if (noted.isRenamed) {
    return `the container is called ${noted.instance.name} by now, so nothing more was done to it`;
  }
  if (noted.isUsedSince) {
    return `${name} was started again since, so nothing more was done to it; ask again if it is still wanted`;
  }
  return undefined;
}

/**
 * Why an interrupted operation that would lose them keeps its hands off: somebody set something in the container, or
 * took a snapshot of it. Undefined where nobody did.
 */
export async function changeSince(
  engine: Engine,
  noted: NotedContainer,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (noted.is !== "same") return undefined;
  const { instance, sighting } = noted;
  const { name } = instance;
  if (isSetSince(noted)) {
    return `the settings of ${name} were changed since, so nothing more was done to it; ask again if it is still wanted`;
  }
  const known = sighting?.snapshots;
  const [added] = known
    ? (await snapshotsOf(engine, name, signal)).filter((each) => !known.includes(each))
    : [];
  return added === undefined
    ? undefined
    : `a snapshot of ${name} was taken since, so nothing more was done to it; ask again if it is still wanted`;
}

/** Whether somebody set something in the container. */
export function isSetSince({ instance, sighting }: SameContainer): boolean {
  return sighting?.settings !== undefined && settingsText(instance) !== sighting.settings;
}

/** Those that are not of an operation, each with when it was taken. */
async function snapshotsOf(engine: Engine, name: string, signal?: AbortSignal): Promise<string[]> {
  const all = await engine.snapshots.list(name, { signal });
  return all
    .filter((each) => !OPERATION_SNAPSHOT.test(each.name))
    .map((each) => `${each.name} ${each.created_at}`);
}

async function sight(engine: Engine, instance: Instance, signal: AbortSignal): Promise<Sighting> {
  const { config, created_at, last_used_at } = instance;
  return {
    uuid: config["volatile.uuid"] ?? "",
    createdAt: created_at,
    usedAt: last_used_at,
    folderMadeAt: await folderMadeAt(engine, instance),
    idMap: config["volatile.last_state.idmap"] ?? "",
    settings: settingsText(instance),
    snapshots: await snapshotsOf(engine, instance.name, signal),
  };
}

async function isSame(engine: Engine, instance: Instance, sighting: Sighting): Promise<boolean> {
  const { config, created_at } = instance;
  if ((config["volatile.uuid"] ?? "") !== sighting.uuid || created_at !== sighting.createdAt) return false;
  const madeAt = await folderMadeAt(engine, instance);
  return madeAt === "" || sighting.folderMadeAt === "" || madeAt === sighting.folderMadeAt;
}

function same(instance: Instance, sighting: Sighting, isRenamed: boolean): NotedContainer {
  const isUsedSince = instance.last_used_at !== sighting.usedAt;
  return { is: "same", instance, isUsedSince, isRenamed, sighting };
}

/** For an operation that died before it had written the step, or under an older version. */
function byTimes(instance: Instance | undefined, startedAt: number): NotedContainer {
  if (!instance) return { is: "gone" };
  // The clock was set back since, so no two times can be compared: somebody may have used it.
  if (startedAt > Date.now()) {
    return { is: "same", instance, isUsedSince: true, isRenamed: false, sighting: undefined };
  }
  if (Date.parse(instance.created_at) > startedAt) return { is: "another", instance };
  const isUsedSince = Date.parse(instance.last_used_at) > startedAt;
  return { is: "same", instance, isUsedSince, isRenamed: false, sighting: undefined };
}

async function folderMadeAt(engine: Engine, instance: Instance): Promise<string> {
  const folder = await instanceFolder(engine, instance);
  if (!folder) return "";
  const found = await stat(folder, { bigint: true }).catch(ifHidden);
  return found ? String(found.birthtimeNs) : "";
}
