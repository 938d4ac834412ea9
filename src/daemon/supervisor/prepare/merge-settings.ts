import { isDeepStrictEqual } from "node:util";

export type Entries<T> = Readonly<Record<string, T>>;

/** What we wrote into one part of the engine's settings. */
export interface Written<T> {
  /** What certainly was written; undefined when nothing was ever recorded. */
  readonly confirmed: Entries<T> | undefined;
  /** What was being written when the last record was made: it may be there or not. */
  readonly pending?: Entries<T> | undefined;
}

export interface Merged<T> {
  readonly entries: Record<string, T>;
  /** What of it is ours from now on, and what a person removed of ours. */
  readonly written: Record<string, T>;
  /** Keys for which a person's choice stays although we would have it otherwise. */
  readonly kept: readonly string[];
}

interface Choices<T> {
  /** Keys that get our value whatever is there. */
  readonly forced?: ReadonlySet<string>;
  /** Without a record: whether an entry that is not wanted can only be one of ours. */
  readonly isOfOurForm?: (key: string, value: T) => boolean;
}

/**
 * Brings what we want into what is there. An entry that holds what we wrote is ours to change or remove; one that a
 * person added, changed or removed stays so. Without a record, an entry with our value is ours.
 */
export function mergeSettings<T>(
  found: Entries<T>,
  wanted: Entries<T>,
  ours: Written<T>,
  choices: Choices<T> = {},
): Merged<T> {
  const { confirmed, pending } = ours;
  const isOurs = (key: string, value: T | undefined): boolean => {
    if (value === undefined) return false;
    if (isDeepStrictEqual(at(confirmed, key), value) || isDeepStrictEqual(at(pending, key), value))
      return true;
    if (confirmed) return false;
    return isDeepStrictEqual(at(wanted, key), value) || choices.isOfOurForm?.(key, value) === true;
  };
  const wasRemoved = (key: string) =>
    at(confirmed, key) !== undefined && (pending === undefined || at(pending, key) !== undefined);

  const entries = new Map(Object.entries(found));
  const written = new Map<string, T>();
  const kept: string[] = [];
  for (const key of new Set([found, wanted, confirmed ?? {}, pending ?? {}].flatMap(Object.keys))) {
    const [value, mine, before] = [at(found, key), at(wanted, key), at(confirmed, key)];
    const free = value === undefined ? !wasRemoved(key) : isOurs(key, value);
    if (mine !== undefined && (free || choices.forced?.has(key))) {
      entries.set(key, mine);
      written.set(key, mine);
    } else if (free) {
      entries.delete(key);
    } else {
      if (mine !== undefined && !isDeepStrictEqual(value, mine)) kept.push(key);
      // Remembered, so that what a person removed is not added at the next start.
      if (before !== undefined) written.set(key, before);
    }
  }
  return { entries: Object.fromEntries(entries), written: Object.fromEntries(written), kept };
}

function at<T>(entries: Entries<T> | undefined, key: string): T | undefined {
  return entries && Object.hasOwn(entries, key) ? entries[key] : undefined;
}
