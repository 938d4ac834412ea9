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

/** Counted for each event in addition to its content. Bytes. */
const ROW_BYTES = 200;
/** A container keeps this many events that end nothing; newer ones replace what they said. */
const MAX_PROGRESS = 1_000;
/** When there are too many bytes, this share of the limit is kept, so that not every event drops another one. */
const KEPT_SHARE = 7 / 8;
/** Ids of notices that are remembered for each guest, so that a repeated notice is recognized. */
const MAX_NOTICE_IDS = 20_000;
/** Operations that are remembered for each guest. */
const MAX_OPERATIONS = 10_000;
const MAX_CONTAINERS = 1_000;

/**
 * Keeps the events bounded by age and size. Events that end something have half of the bytes for themselves, and the
 * guest, and in it the container, that uses the most loses its oldest ones first. So nobody who sends many or large
 * notices makes the host forget those of others.
 */
export class Retention {
  readonly #limits: RetentionLimits;
  readonly #database: DatabaseSync;
  readonly #usage = new Map<string, Usage & Place>();
  /** Bytes of the events that end something, and of the others. */
  readonly #total = new Map([
    [true, 0],
    [false, 0],
  ]);
  readonly #dropOldest: StatementSync;
  readonly #markDropped: StatementSync;

  constructor(database: DatabaseSync, limits: RetentionLimits) {
    this.#database = database;
    this.#limits = limits;
    this.#dropOldest = database.prepare(
      `DELETE FROM event WHERE sequence IN (
         SELECT sequence FROM event WHERE guest = ? AND container = ? AND final = ? ORDER BY sequence LIMIT ?
       ) RETURNING sequence, length(body) AS bytes`,
    );
    this.#markDropped = database.prepare(
      `INSERT INTO dropped (guest, sequence) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)`,
    );
    this.recount();
  }

  /** Counts from the database again, after a transaction that was rolled back. */
  recount(): void {
    this.#usage.clear();
    this.#total.set(true, 0).set(false, 0);
    const rows = this.#database
      .prepare(
        `SELECT guest, container, final, count(*) AS count, sum(length(body)) AS bytes FROM event
         GROUP BY guest, container, final`,
      )
      .all();
    for (const row of rows) {
      const place = { guest: `${row.guest}`, container: `${row.container}`, isFinal: row.final === 1 };
      const count = Number(row.count);
      this.#count(this.#usageOf(place), count, Number(row.bytes) + count * ROW_BYTES);
    }
  }

  /** Counts a new event, and drops others that exceed the limits. */
  add(place: Place, bytes: number): void {
    const usage = this.#usageOf(place);
    this.#count(usage, 1, bytes + ROW_BYTES);
    if (!place.isFinal && usage.count > MAX_PROGRESS)
      this.#drop(usage, usage.count - MAX_PROGRESS * KEPT_SHARE);
  }

  /** Drops events until all of them have room. */
  fit(): void {
    for (const isFinal of [true, false]) {
      const most = this.#limits.maxBytes / 2;
      const total = () => this.#total.get(isFinal) ?? 0;
      if (total() <= most) continue;
      for (let heaviest = this.#heaviest(isFinal); heaviest && total() > most * KEPT_SHARE; ) {
        this.#drop(heaviest, Math.max(1, heaviest.count / 16));
        heaviest = this.#heaviest(isFinal);
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

  #drop(usage: Usage & Place, count: number): void {
    const { guest, container, isFinal } = usage;
    const dropped = this.#dropOldest.all(guest, container, isFinal ? 1 : 0, Math.ceil(count));
    for (const { bytes } of dropped) this.#count(usage, -1, -Number(bytes) - ROW_BYTES);
    // Newer events replace those that end nothing, so nobody misses them.
    const last = Math.max(0, ...dropped.map(({ sequence }) => Number(sequence)));
    if (isFinal && last > 0) this.#markDropped.run(guest, last);
    if (usage.count <= 0) this.#usage.delete(keyOf(usage));
  }

  #count(usage: Usage & Place, count: number, bytes: number): void {
    usage.count += count;
    usage.bytes += bytes;
    this.#total.set(usage.isFinal, (this.#total.get(usage.isFinal) ?? 0) + bytes);
  }

  #heaviest(isFinal: boolean): (Usage & Place) | undefined {
    const guests = new Map<string, number>();
    const all = [...this.#usage.values()].filter((usage) => usage.isFinal === isFinal);
    for (const { guest, bytes } of all) guests.set(guest, (guests.get(guest) ?? 0) + bytes);
    const [guest] = [...guests].reduce((most, each) => (each[1] > most[1] ? each : most), ["", -1]);
    return all
      .filter((usage) => usage.guest === guest)
      .reduce<(Usage & Place) | undefined>(
        (most, each) => (most && most.bytes >= each.bytes ? most : each),
        undefined,
      );
  }

  #usageOf(place: Place): Usage & Place {
    const key = keyOf(place);
    const found = this.#usage.get(key) ?? { ...place, count: 0, bytes: 0 };
    this.#usage.set(key, found);
    return found;
  }
}

function keyOf({ guest, container, isFinal }: Place): string {
  return `${guest}\0${container}\0${isFinal}`;
}
