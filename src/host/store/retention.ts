import type { DatabaseSync, StatementSync } from "node:sqlite";

export interface RetentionLimits {
  /** Older events are dropped. Milliseconds. */
  readonly maxAge: number;
  /** All events together. Bytes. */
  readonly maxBytes: number;
}

export const retentionDefaults: RetentionLimits = {
  maxAge: 30 * 24 * 3_600_000,
  maxBytes: 64 * 1024 * 1024,
};

/** Events of one container of one guest: those that end something, or the others. */
interface Place {
  readonly guest: string;
  readonly container: string;
  readonly isFinal: boolean;
}

interface Usage {
  count: number;
  bytes: number;
}

/** Of one guest, in all and in each container. */
interface GuestUsage extends Usage {
  readonly places: Map<string, Usage>;
}

/** Counted for each event in addition to its content. Bytes. */
const ROW_BYTES = 200;
/** A container keeps this many events that end nothing; newer ones replace what they said. */
const MAX_PROGRESS = 1_000;
/** When there are too many bytes, this share of the limit is kept, so that not every event drops another one. */
const KEPT_SHARE = 7 / 8;
/** Ids of notices that are remembered for each guest, so that a repeated notice is recognized. */
const MAX_NOTICE_IDS = 20_000;
/** Operations that are remembered for each guest. */
const MAX_OPERATIONS = 2_000;
const MAX_CONTAINERS = 1_000;
/** At most this share of a guest's events, or of a container's, goes at once. */
const DROPPED_SHARE = 1 / 4;
/**
 * A container stands out in its guest from this share on: so the one that has the most always does, up to a thousand
 * containers, and a guest that invents more makes no more work.
 */
const LEAST_SHARE = 1 / 1_000;

/**
 * Keeps the events bounded by age and size. Events that end something have half of the bytes for themselves, and the
 * guest, and in it the container, that uses the most loses its oldest ones first. So nobody who sends many or large
 * notices makes the host forget those of others.
 */
export class Retention {
  readonly #limits: RetentionLimits;
  readonly #database: DatabaseSync;
  /** Of the events that end something, and of the others. */
  readonly #usage = new Map<boolean, Map<string, GuestUsage>>();
  readonly #dropOfPlace: StatementSync;
  readonly #dropOfGuest: StatementSync;
  readonly #markDropped: StatementSync;

  constructor(database: DatabaseSync, limits: RetentionLimits) {
    this.#database = database;
    this.#limits = limits;
    const drop = (where: string) =>
      database.prepare(
        `DELETE FROM event WHERE sequence IN (
           SELECT sequence FROM event WHERE ${where} ORDER BY sequence LIMIT ?
         ) RETURNING sequence, container, length(body) AS bytes`,
      );
    this.#dropOfPlace = drop("guest = ? AND final = ? AND container = ?");
    this.#dropOfGuest = drop("guest = ? AND final = ?");
    this.#markDropped = database.prepare(
      `INSERT INTO dropped (guest, sequence) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)`,
    );
    this.recount();
  }

  /** Counts from the database again, after a transaction that was rolled back. */
  recount(): void {
    this.#usage.clear();
    const rows = this.#database
      .prepare(
        `SELECT guest, container, final, count(*) AS count, sum(length(body)) AS bytes FROM event
         GROUP BY guest, final, container`,
      )
      .all();
    for (const row of rows) {
      const place = { guest: `${row.guest}`, container: `${row.container}`, isFinal: row.final === 1 };
      const count = Number(row.count);
      this.#count(place, count, Number(row.bytes) + count * ROW_BYTES);
    }
  }

  /** Counts a new event, and drops others that exceed the limit of its container. */
  add(place: Place, bytes: number): void {
    const { count } = this.#count(place, 1, bytes + ROW_BYTES);
    if (place.isFinal || count <= MAX_PROGRESS) return;
    const most = Math.ceil(count - MAX_PROGRESS * KEPT_SHARE);
    this.#forget(place.guest, false, this.#dropOfPlace.all(place.guest, 0, place.container, most));
  }

  /** Drops events until all of them have room. */
  fit(): void {
    for (const isFinal of [true, false]) {
      const most = this.#limits.maxBytes / 2;
      if (this.#bytes(isFinal) <= most) continue;
      for (;;) {
        const excess = this.#bytes(isFinal) - most * KEPT_SHARE;
        if (excess <= 0 || !this.#dropSome(isFinal, excess)) break;
      }
    }
  }

  /** Drops what is older than the limit; to be called now and then. */
  expire(now: number): void {
    const before = now - this.#limits.maxAge;
    const rows = this.#database
      .prepare(
        "SELECT guest, max(sequence) AS sequence FROM event WHERE time < ? AND final = 1 GROUP BY guest",
      )
      .all(before);
    for (const { guest, sequence } of rows) this.#markDropped.run(guest as string, sequence as number);
    this.#database.prepare("DELETE FROM event WHERE time < ?").run(before);
    this.#database.prepare("DELETE FROM operation WHERE updated < ?").run(before);
    this.#keepNewest("notice", "sequence", MAX_NOTICE_IDS);
    this.#keepNewest("operation", "sequence", MAX_OPERATIONS);
    this.#keepNewest("container", "since", MAX_CONTAINERS);
    this.recount();
  }

  #keepNewest(table: string, order: string, most: number): void {
    for (const { guest } of this.#database
      .prepare(`SELECT guest FROM ${table} GROUP BY guest HAVING count(*) > ?`)
      .all(most)) {
      this.#database
        .prepare(
          `DELETE FROM ${table} WHERE guest = ?1 AND ${order} <=
             (SELECT ${order} FROM ${table} WHERE guest = ?1 ORDER BY ${order} DESC LIMIT 1 OFFSET ?2)`,
        )
        .run(guest as string, most);
    }
  }

  /**
   * Drops a part of the heaviest guest's events: the oldest of the container that has the most of them, or the oldest of
   * all where no container stands out. False: there is nothing to drop.
   */
  #dropSome(isFinal: boolean, excess: number): boolean {
    const heaviest = heaviestOf(this.#usage.get(isFinal) ?? []);
    if (!heaviest) return false;
    const [guest, usage] = heaviest;
    const [container, place] = heaviestOf(usage.places) ?? ["", usage];
    const final = isFinal ? 1 : 0;
    const dropped =
      place.bytes >= usage.bytes * LEAST_SHARE && place.count > 1
        ? this.#dropOfPlace.all(guest, final, container, countToDrop(place, excess))
        : this.#dropOfGuest.all(guest, final, countToDrop(usage, excess));
    this.#forget(guest, isFinal, dropped);
    return dropped.length > 0;
  }

  #forget(guest: string, isFinal: boolean, dropped: readonly Record<string, unknown>[]): void {
    let last = 0;
    for (const { sequence, container, bytes } of dropped) {
      this.#count({ guest, container: `${container}`, isFinal }, -1, -Number(bytes) - ROW_BYTES);
      last = Math.max(last, Number(sequence));
    }
    // Newer events replace those that end nothing, so nobody misses them.
    if (isFinal && last > 0) this.#markDropped.run(guest, last);
  }

  #bytes(isFinal: boolean): number {
    let sum = 0;
    for (const { bytes } of this.#usage.get(isFinal)?.values() ?? []) sum += bytes;
    return sum;
  }

  #count({ guest, container, isFinal }: Place, count: number, bytes: number): Usage {
    const guests = entryOf(this.#usage, isFinal, () => new Map<string, GuestUsage>());
    const all = entryOf(guests, guest, () => ({ count: 0, bytes: 0, places: new Map<string, Usage>() }));
    const place = entryOf(all.places, container, () => ({ count: 0, bytes: 0 }));
    for (const usage of [all, place]) {
      usage.count += count;
      usage.bytes += bytes;
    }
    if (place.count <= 0) all.places.delete(container);
    if (all.count <= 0) guests.delete(guest);
    return place;
  }
}

function countToDrop({ count, bytes }: Usage, excess: number): number {
  return Math.ceil(count * Math.min(DROPPED_SHARE, excess / bytes));
}

function heaviestOf<U extends Usage>(usages: Iterable<[string, U]>): [string, U] | undefined {
  let heaviest: [string, U] | undefined;
  for (const each of usages) if (!heaviest || each[1].bytes > heaviest[1].bytes) heaviest = each;
  return heaviest;
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
