import type { DatabaseSync, StatementSync } from "node:sqlite";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema } from "../../contract/tremplin/v1/host_pb.js";
import { inTransaction } from "./database.ts";
import { Fold, factsOf, MAX_PLACE } from "./fold.ts";
import { Retention, type RetentionLimits } from "./retention.ts";

/** An event that is not stored yet. It gets the next number, or keeps its own if that is greater. */
export interface EventInput {
  readonly event: Event;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Of its notice; empty when the guest gave none. */
  readonly id: string;
}

export interface ReadRange {
  /** Undefined: of all guests. */
  readonly guest: string | undefined;
  /** Undefined: of all containers. Events of others may be among those that are read. */
  readonly container?: string | undefined;
  readonly after: number;
  readonly until: number;
}

export interface StoredEvent {
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** One reading returns about so much, however large the events are. */
const READ_ROWS = 256;
const READ_BYTES = 1024 * 1024;

/** The stored events. Each insert is one transaction. */
export class EventTable {
  readonly #database: DatabaseSync;
  readonly #retention: Retention;
  readonly #fold: Fold;
  readonly #insertEvent: StatementSync;
  readonly #insertNotice: StatementSync;
  readonly #readAll: StatementSync;
  readonly #readGuest: StatementSync;
  readonly #readContainer: StatementSync;
  readonly #droppedOfAll: StatementSync;
  readonly #droppedOf: StatementSync;
  readonly #setSetting: StatementSync;
  #newest: number;

  constructor(database: DatabaseSync, limits: RetentionLimits) {
    this.#database = database;
    this.#retention = new Retention(database, limits);
    this.#fold = new Fold(database);
    this.#insertEvent = database.prepare(
      "INSERT INTO event (sequence, time, guest, container, final, body) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#insertNotice = database.prepare(
      "INSERT INTO notice (guest, id, sequence) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
    const rows = "SELECT sequence, body FROM event WHERE sequence > ?1 AND sequence <= ?2";
    const order = `ORDER BY sequence LIMIT ${READ_ROWS}`;
    this.#readAll = database.prepare(`${rows} ${order}`);
    this.#readGuest = database.prepare(`${rows} AND guest = ?3 ${order}`);
    // The names of several containers are in one text, which may be cut.
    this.#readContainer = database.prepare(
      `${rows} AND (?3 IS NULL OR guest = ?3)
         AND (container = ?4 OR instr(container, ' ') > 0 OR length(container) >= ${MAX_PLACE}) ${order}`,
    );
    this.#droppedOfAll = database.prepare("SELECT max(sequence) AS sequence FROM dropped");
    this.#droppedOf = database.prepare(
      "SELECT max(sequence) AS sequence FROM dropped WHERE guest IN (?, '')",
    );
    this.#setSetting = database.prepare(
      "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
    this.#newest = this.#storedNewest();
  }

  /** The newest sequence number, 0 before the first event. */
  get newest(): number {
    return this.#newest;
  }

  /** Inserts all events or none, without those whose notice is stored already. `now`: also drops what is too old. */
  insert(inputs: readonly EventInput[], now: number | undefined): void {
    const before = this.#newest;
    try {
      inTransaction(this.#database, () => {
        for (const input of inputs) this.#insertOne(input);
        this.#retention.fit();
        if (now !== undefined) this.#retention.expire(now);
        this.#saveNewest();
      });
    } catch (error) {
      this.#newest = before;
      this.#retention.recount();
      throw error;
    }
  }

  read(range: ReadRange): StoredEvent[] {
    const rows = this.#rows(range);
    const read: StoredEvent[] = [];
    let bytes = 0;
    for (const row of rows) {
      const { sequence, body } = row as unknown as StoredEvent;
      read.push({ sequence, body });
      bytes += body.length;
      if (bytes >= READ_BYTES) break;
    }
    return read;
  }

  #rows({ guest, container, after, until }: ReadRange): ReturnType<StatementSync["iterate"]> {
    if (container !== undefined) return this.#readContainer.iterate(after, until, guest ?? null, container);
    if (guest !== undefined) return this.#readGuest.iterate(after, until, guest);
    return this.#readAll.iterate(after, until);
  }

  /** The newest event of the guest, or of any guest, that ended something and is not kept any more; else 0. */
  dropped(guest: string | undefined): number {
    const found = guest === undefined ? this.#droppedOfAll.get() : this.#droppedOf.get(guest);
    return Number(found?.sequence ?? 0);
  }

  /** The sequence number before the first event since a time. */
  before(time: number): number {
    const found = this.#database
      .prepare("SELECT min(sequence) AS first FROM event WHERE time >= ?")
      .get(time);
    return typeof found?.first === "number" ? found.first - 1 : this.#newest;
  }

  /** Begins the numbering after a number that no event has. */
  beginAfter(sequence: number): void {
    this.#newest = Math.max(this.#newest, sequence);
    this.#saveNewest();
  }

  /** Begins the numbering after a number; the events of all guests up to it are lost. */
  loseUpTo(sequence: number): void {
    this.beginAfter(sequence);
    this.#database.prepare("INSERT INTO dropped (guest, sequence) VALUES ('', ?)").run(this.#newest);
  }

  /** Writes something, so that the log of commits exists. */
  noteOpened(time: number): void {
    this.#setting("opened", time);
  }

  #insertOne({ event, time, id }: EventInput): void {
    const sequence = Math.max(this.#newest + 1, Number(event.sequence));
    if (id !== "" && this.#insertNotice.run(event.guest, id, sequence).changes === 0) return;
    const numbered = create(EventSchema, { ...event, sequence: BigInt(sequence) });
    const body = toBinary(EventSchema, numbered);
    const { container, isFinal } = factsOf(numbered);
    this.#insertEvent.run(sequence, time, event.guest, container, isFinal ? 1 : 0, body);
    this.#fold.apply(numbered, time);
    this.#retention.add({ guest: event.guest, container, isFinal }, body.length);
    this.#newest = sequence;
  }

  /** Kept apart, because the newest event may be dropped. */
  #saveNewest(): void {
    this.#setting("newest", this.#newest);
  }

  #storedNewest(): number {
    const stored = this.#database.prepare("SELECT value FROM setting WHERE name = 'newest'").get();
    const last = this.#database.prepare("SELECT max(sequence) AS last FROM event").get();
    return Math.max(Number(stored?.value ?? 0), Number(last?.last ?? 0));
  }

  #setting(name: string, value: number): void {
    this.#setSetting.run(name, `${value}`);
  }
}
