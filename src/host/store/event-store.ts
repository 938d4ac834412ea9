import { EventEmitter, once } from "node:events";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Clock } from "../../base/async/clock.ts";
import { acquireLock } from "../../base/files/file-lock.ts";
import { syncFolder } from "../../base/files/files.ts";
import { makeOwnFolder } from "../../base/files/own-folder.ts";
import type { Logger } from "../../base/logger.ts";
import { follow, observed } from "../../base/observed.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Event, EventSchema } from "../../contract/tremplin/v1/host_pb.js";
import { databaseFile, isDamage, openDatabase, wasReplaced } from "./database.ts";
import { type EventInput, EventTable, type ReadRange } from "./event-table.ts";
import { isAbout } from "./fold.ts";
import { type HistoryFilter, type PastOperation, pastOperations } from "./history.ts";
import { type ContainerReading, LastKnown } from "./last-known.ts";
import { importOldLog } from "./old-log.ts";
import { type RetentionLimits, retentionDefaults } from "./retention.ts";

/** The message of an event. */
export type Notice = Event["notice"];

export interface EventStoreOptions extends Partial<RetentionLimits> {
  /** Created when missing. A second store in the same folder is refused with `busy`. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often events that are too old are dropped. */
const EXPIRY_INTERVAL_MS = 60_000;

interface Pending {
  readonly input: EventInput;
  /** Of the notice among those that wait; undefined for one without an id. */
  readonly key: string | undefined;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * The durable events of all guests, and what follows from them: guests, containers and operations. Sequence numbers
 * increase by one for each event, also across a restart. An event is on disk before a reader gets it.
 */
export class EventStore implements AsyncDisposable {
  readonly #options: EventStoreOptions;
  readonly #parts: AsyncDisposableStack;
  readonly #grown = new EventEmitter().setMaxListeners(0);
  readonly #waiting = new Map<string, Promise<void>>();
  #database: DatabaseSync;
  #events: EventTable;
  #lastKnown: LastKnown;
  #wal: FileHandle;
  #pending: Pending[] = [];
  #writing: Promise<void> | undefined;
  /** Set when the disk did not confirm a commit: nothing is acknowledged until the whole database is on disk. */
  #mustCheckpoint = false;
  #expiredAt = Number.NEGATIVE_INFINITY;
  /** The newest event that is on disk. */
  #durable: number;

  private constructor(options: EventStoreOptions, opened: Opened, parts: AsyncDisposableStack) {
    this.#options = options;
    this.#parts = parts;
    this.#database = opened.database;
    this.#events = opened.events;
    this.#lastKnown = new LastKnown(opened.database);
    this.#wal = opened.wal;
    this.#durable = opened.events.newest;
  }

  static async open(options: EventStoreOptions): Promise<EventStore> {
    const { folder } = options;
    await makeOwnFolder(folder);
    await using parts = new AsyncDisposableStack();
    const busy = `cannot use the event log in ${folder}: another host has it open`;
    parts.use(await acquireLock(join(folder, "lock"), busy));
    const opened = await openTables(options);
    await using undo = new AsyncDisposableStack();
    const store = undo.use(new EventStore(options, opened, parts.move()));
    await importOldLog(folder, opened.events, () => store.#makeDurable(), options.log);
    store.#durable = opened.events.newest;
    undo.move();
    return store;
  }

  /** The sequence number of the newest event, 0 before the first. */
  get newest(): bigint {
    return BigInt(this.#durable);
  }

  /** Keeps the containers that were read from a guest. */
  keepReading(reading: ContainerReading): void {
    this.#lastKnown.keep(reading, this.#events.newest);
  }

  /** The containers of a guest as they were last known, and when they were read; `time` is undefined if they never were. */
  lastKnown(guest: string): ReturnType<LastKnown["of"]> {
    return this.#lastKnown.of(guest);
  }

  /** The ports that a guest has reported, by container. */
  ports(guest: string): ReturnType<LastKnown["ports"]> {
    return this.#lastKnown.ports(guest);
  }

  /** The time of the newest notice of a guest, in milliseconds since 1970; undefined for one that sent none. */
  lastNotice(guest: string): number | undefined {
    const row = this.#database.prepare("SELECT updated FROM guest WHERE name = ?").get(guest);
    return row && Number(row.updated);
  }

  /** Forgets the containers of a guest. Its events and operations stay. */
  forgetContainers(guest: string): void {
    this.#lastKnown.forget(guest);
  }

  /** The operations that match, the newest last. */
  operations(filter: HistoryFilter): PastOperation[] {
    return pastOperations(this.#database, filter);
  }

  /**
   * The sequence number from which on no event of the guest (`undefined`: of any guest) is missing that ended something.
   * Events that newer ones replaced may be missing after it.
   */
  oldest(guest: string | undefined): bigint {
    return BigInt(this.#events.dropped(guest) + 1);
  }

  /** The sequence number before the first event since a time. */
  before(time: number): bigint {
    return BigInt(this.#events.before(time));
  }

  /**
   * Records a notice once for each non-empty id: a repeated one resolves with the first. Resolves when the notice is on
   * disk; rejects with `unavailable` when it cannot be written. `operation` is empty for a notice of no operation.
   */
  append(guest: string, notice: Notice, id: string, operation = ""): Promise<void> {
    const key = id === "" ? undefined : `${guest}\0${id}`;
    const earlier = key === undefined ? undefined : this.#waiting.get(key);
    if (earlier !== undefined) return earlier;
    const done = Promise.withResolvers<void>();
    const time = this.#options.clock.now();
    const content = create(EventSchema, { time: timestampFromMs(time), guest, operation, notice });
    this.#pending.push({ input: { event: content, time, id }, key, done });
    if (key !== undefined) this.#waiting.set(key, done.promise);
    this.#writing ??= this.#write();
    return done.promise;
  }

  /**
   * The events after a sequence number, oldest first; with `follow`, also new ones until the signal fires. Throws when
   * the caller is so slow that an event that ended something was dropped before it was read.
   */
  async *read({ follow, signal, container, ...range }: ReadOptions): AsyncGenerator<Event, void, void> {
    const droppedBefore = this.#events.dropped(range.guest);
    for (let after = Number(range.after); !signal.aborted; ) {
      const dropped = this.#events.dropped(range.guest);
      if (dropped > Math.max(after, droppedBefore)) {
        throw new TremplinError(
          "failed",
          `the events ${after + 1} to ${dropped} were dropped before they were read`,
        );
      }
      const until = this.#durable;
      const rows = this.#events.read({ guest: range.guest, container, after, until });
      for (const { sequence, body } of rows) {
        after = sequence;
        const event = fromBinary(EventSchema, body);
        if (container === undefined || isAbout(event, container)) yield event;
        if (signal.aborted) return;
      }
      if (rows.length > 0) continue;
      after = Math.max(after, until);
      if (!follow || !(await this.#hasGrown(signal))) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#wal.close();
    this.#database.close();
    await this.#parts.disposeAsync();
  }

  async #hasGrown(signal: AbortSignal): Promise<boolean> {
    return await once(this.#grown, "grown", { signal }).then(
      () => true,
      () => false,
    );
  }

  /** Writes the pending notices in batches. */
  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        const inputs = batch.map(({ input }) => input);
        await follow(observed.commit, { events: inputs.length }, () => this.#commit(inputs));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        const message = `cannot write the event log in ${this.#options.folder}: ${(error as Error).message}`;
        for (const { done } of batch) done.reject(new TremplinError("unavailable", message, error));
      }
      for (const { key } of batch) if (key !== undefined) this.#waiting.delete(key);
    }
    this.#writing = undefined;
  }

  async #commit(inputs: readonly EventInput[]): Promise<void> {
    try {
      this.#insert(inputs);
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.#replaceDatabase();
      this.#insert(inputs);
    }
    await this.#makeDurable();
    this.#durable = this.#events.newest;
    this.#grown.emit("grown");
  }

  #insert(inputs: readonly EventInput[]): void {
    const now = this.#options.clock.now();
    const elapsed = this.#options.clock.elapsed();
    const expires = elapsed - this.#expiredAt > EXPIRY_INTERVAL_MS;
    this.#events.insert(inputs, expires ? now : undefined);
    if (expires) this.#expiredAt = elapsed;
  }

  /** Waits, without blocking the process, until the disk has what was committed. */
  async #makeDurable(): Promise<void> {
    if (this.#mustCheckpoint) {
      // The kernel forgets what it could not write, so only writing everything again proves anything.
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      this.#mustCheckpoint = false;
    }
    try {
      await this.#wal.datasync();
    } catch (error) {
      this.#mustCheckpoint = true;
      throw error;
    }
  }

  async #replaceDatabase(): Promise<void> {
    // The damaged one stays until there is another, so that the next notice tries again.
    const opened = await openTables(this.#options);
    await this.#wal.close().catch(() => undefined);
    this.#database.close();
    this.#database = opened.database;
    this.#events = opened.events;
    this.#lastKnown = new LastKnown(opened.database);
    this.#wal = opened.wal;
  }
}

export interface ReadOptions extends Pick<ReadRange, "guest"> {
  /** Only events of this container. Undefined: all. */
  readonly container?: string | undefined;
  readonly after: bigint;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

interface Opened {
  readonly database: DatabaseSync;
  readonly events: EventTable;
  /** SQLite's log of commits. */
  readonly wal: FileHandle;
}

async function openTables({ folder, clock, log, ...limits }: EventStoreOptions): Promise<Opened> {
  const place = join(folder, "database");
  const database = await openDatabase(place, clock.now(), log);
  try {
    const events = new EventTable(database, { ...retentionDefaults, ...definedOf(limits) });
    // A watcher goes on after the last number that it saw: the new numbers must be greater than the lost ones.
    if (events.newest === 0 && (await wasReplaced(place))) events.loseUpTo(clock.now());
    events.noteOpened(clock.now());
    const wal = await open(`${databaseFile(place)}-wal`, "r");
    for (const path of [place, dirname(place)]) await syncFolder(path);
    return { database, events, wal };
  } catch (error) {
    database.close();
    throw error;
  }
}

function definedOf(limits: Partial<RetentionLimits>): Partial<RetentionLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
