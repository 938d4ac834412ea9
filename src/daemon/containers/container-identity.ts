import { stat } from "node:fs/promises";
import * as z from "zod";
import { jsonText } from "../../base/text-codecs.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { ifHidden, instanceFolder } from "../../engine/storage/local-paths.ts";
import { settingsText } from "./container-settings.ts";
import { findContainer } from "./find-container.ts";
import { OPERATION_SNAPSHOT } from "./operation-mark.ts";

/** What the engine calls the time of a first start that has not been. */
const NEVER = 0;

/**
 * Shows whether a container is still the one that an operation began with, whatever name it has later, and whether
 * a user has used it since. The engine's import of a backup restores uuid and times too, so for an engine on this
 * machine the birth time of the container's folder counts as well.
 */
const identitySchema = z.object({
  uuid: z.string(),
  createdAt: z.string(),
  usedAt: z.string(),
  /** Nanoseconds since 1970; empty where the folder cannot be seen. */
  folderMadeAt: z.string(),
  /** The id map of the files on disk. */
  idMap: z.string(),
  /** The text of the settings, and the snapshots. Undefined where an older version of this program wrote it. */
  settings: z.string().optional(),
  snapshots: z.array(z.string()).optional(),
});
export type ContainerIdentity = z.infer<typeof identitySchema>;

/** The journal step that says which container an operation began with. */
export const identitySteps = { container: jsonText(identitySchema) };

/** What the journal says of the container. */
interface RecordedSteps {
  readonly container?: ContainerIdentity;
}

/** What became of the container that an operation began with. */
export type IdentityMatch =
  | { readonly is: "gone" }
  /** Another container has its name. */
  | { readonly is: "another"; readonly instance: Instance }
  | SameContainer;

export interface SameContainer {
  readonly is: "same";
  readonly instance: Instance;
  /** Whether it was started since, by an operation or by a person. */
  readonly wasUsedSince: boolean;
  readonly isRenamed: boolean;
  /** Undefined where an older version of this program wrote the entry. */
  readonly recorded: ContainerIdentity | undefined;
}

/** Records which container the operation works on: the first step of each operation that may change one. */
export async function recordIdentity(
  engine: Engine,
  instance: Instance,
  { step }: { step(name: "container", value: ContainerIdentity): Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  await step("container", await readIdentity(engine, instance, signal));
}

/** Finds the container that the operation began with, by its identity and never by its name alone. */
export async function findRecordedContainer(
  engine: Engine,
  name: string,
  { steps, startedAt }: { readonly steps: RecordedSteps; readonly startedAt: number },
  signal?: AbortSignal,
): Promise<IdentityMatch> {
  const recorded = steps.container;
  const named = await findContainer(engine, name, signal);
  if (!recorded) return matchByTimes(named, startedAt);
  if (named && (await isSame(engine, named, recorded))) return matched(named, recorded, false);
  for (const instance of await engine.instances.list({ signal })) {
    if (instance.name !== name && (await isSame(engine, instance, recorded))) {
      return matched(instance, recorded, true);
    }
  }
  return named ? { is: "another", instance: named } : { is: "gone" };
}

/** Whether an operation has recorded its container. */
export function hasRecordedIdentity({ steps }: { readonly steps: RecordedSteps }): boolean {
  return steps.container !== undefined;
}

/** Whether it was ever started. */
export function wasEverStarted({ last_used_at }: Instance): boolean {
  return Date.parse(last_used_at) > NEVER;
}

/** The snapshots that no operation took, each with the time at which it was taken. */
export async function snapshotsOfPeople(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const all = await engine.snapshots.list(name, { signal });
  return all
    .filter((each) => !OPERATION_SNAPSHOT.test(each.name))
    .map((each) => `${each.name} ${each.created_at}`);
}

async function readIdentity(
  engine: Engine,
  instance: Instance,
  signal: AbortSignal,
): Promise<ContainerIdentity> {
  const { config, created_at, last_used_at } = instance;
  return {
    uuid: config["volatile.uuid"] ?? "",
    createdAt: created_at,
    usedAt: last_used_at,
    folderMadeAt: await folderMadeAt(engine, instance),
    idMap: config["volatile.last_state.idmap"] ?? "",
    settings: settingsText(instance),
    snapshots: await snapshotsOfPeople(engine, instance.name, signal),
  };
}

async function isSame(engine: Engine, instance: Instance, recorded: ContainerIdentity): Promise<boolean> {
  const { config, created_at } = instance;
  if ((config["volatile.uuid"] ?? "") !== recorded.uuid || created_at !== recorded.createdAt) return false;
  const madeAt = await folderMadeAt(engine, instance);
  return madeAt === "" || recorded.folderMadeAt === "" || madeAt === recorded.folderMadeAt;
}

function matched(instance: Instance, recorded: ContainerIdentity, isRenamed: boolean): SameContainer {
  const wasUsedSince = instance.last_used_at !== recorded.usedAt;
  return { is: "same", instance, wasUsedSince, isRenamed, recorded };
}

/** For an operation that died before it had written the step, or ran under an older version. */
function matchByTimes(instance: Instance | undefined, startedAt: number): IdentityMatch {
  if (!instance) return { is: "gone" };
  const same = { is: "same", instance, isRenamed: false, recorded: undefined } as const;
  // The clock was set back since, so no two times can be compared: a user may have used it.
  if (startedAt > Date.now()) return { ...same, wasUsedSince: true };
  if (Date.parse(instance.created_at) > startedAt) return { is: "another", instance };
  return { ...same, wasUsedSince: Date.parse(instance.last_used_at) > startedAt };
}

async function folderMadeAt(engine: Engine, instance: Instance): Promise<string> {
  const folder = await instanceFolder(engine, instance);
  if (!folder) return "";
  const found = await stat(folder, { bigint: true }).catch(ifHidden);
  return found ? String(found.birthtimeNs) : "";
}
