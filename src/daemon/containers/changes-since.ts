import type { Engine } from "../../engine/engine.ts";
import { type IdentityMatch, type SameContainer, snapshotsOfPeople } from "./container-identity.ts";
import { settingsText } from "./container-settings.ts";

/** How each sentence about a change by a person ends. */
export const LEFT_ALONE_ADVICE = "so nothing more was done to it; repeat the request if you still want it";

/**
 * Why an interrupted operation does nothing more to the container: another one has its name, or a user used it
 * since. Undefined where it is the container that the operation began with, as it was left.
 */
export function reasonToLeave(name: string, match: IdentityMatch): string | undefined {
  if (match.is === "gone") return `there is no container ${name} any more`;
  if (match.is === "another") {
    return `the container ${name} is not the one of the request any more, so nothing was done to it`;
  }
  if (match.isRenamed) {
    return `the container was renamed to ${match.instance.name}, so nothing more was done to it`;
  }
  return match.wasUsedSince ? `${name} was started again since, ${LEFT_ALONE_ADVICE}` : undefined;
}

/**
 * Why an interrupted operation that would destroy them does nothing more: a user changed settings of the container,
 * or took a snapshot of it. Undefined where nobody did.
 */
export async function reasonToKeepChanges(
  engine: Engine,
  match: IdentityMatch,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (match.is !== "same") return undefined;
  const { instance, recorded } = match;
  const { name } = instance;
  if (haveSettingsChanged(match)) return `the settings of ${name} were changed since, ${LEFT_ALONE_ADVICE}`;
  const known = recorded?.snapshots;
  if (!known) return undefined;
  const isNew = (await snapshotsOfPeople(engine, name, signal)).some((each) => !known.includes(each));
  return isNew ? `a snapshot of ${name} was taken since, ${LEFT_ALONE_ADVICE}` : undefined;
}

/** Whether a user changed settings of the container. */
export function haveSettingsChanged({ instance, recorded }: SameContainer): boolean {
  return recorded?.settings !== undefined && settingsText(instance) !== recorded.settings;
}
