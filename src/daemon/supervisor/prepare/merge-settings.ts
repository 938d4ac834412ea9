import { isDeepStrictEqual } from "node:util";

export type Entries<T> = Readonly<Record<string, T>>;

/** What the daemon wrote into one part of the engine's settings. */
export interface RecordedSettings<T> {
  /** The entries that were written for sure; undefined without a record. */
  readonly confirmed: Entries<T> | undefined;
  /** The entries that were being written when the last record was made: they may be in the engine or not. */
  readonly pending?: Entries<T> | undefined;
}

export interface MergedSettings<T> {
  readonly entries: Record<string, T>;
  /** The entries of `entries` that are ours, and those of ours that a person removed. */
  readonly written: Record<string, T>;
  /** Keys for which a person's value stays although we want another. */
  readonly kept: readonly string[];
}

interface Choices<T> {
  /** Keys that get our value in any case. */
  readonly forced?: ReadonlySet<string>;
  /** Without a record: whether an entry that is not wanted can only be from an earlier version of this daemon. */
  readonly isOfOurForm?: (key: string, value: T) => boolean;
}

/**
 * Merges the wanted settings into those found. An entry that still has the value that the daemon wrote may be changed or
 * removed; one that a person added, changed or removed stays so. Without a record, an entry with our value is ours.
 */
export function mergeSettings<T>(
  found: Entries<T>,
  wanted: Entries<T>,
  ours: RecordedSettings<T>,
  choices: Choices<T> = {},
): MergedSettings<T> {
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
      // Kept in the record, so that the next start does not add what a person removed.
      if (before !== undefined) written.set(key, before);
    }
  }
  return { entries: Object.fromEntries(entries), written: Object.fromEntries(written), kept };
}

function at<T>(entries: Entries<T> | undefined, key: string): T | undefined {
  return entries && Object.hasOwn(entries, key) ? entries[key] : undefined;
}
