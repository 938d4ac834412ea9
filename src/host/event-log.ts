import { EventEmitter, once } from "node:events";
import { mkdir, open, readdir, realpath, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Clock } from "../base/async/clock.ts";
import { acquireProcessLock } from "../base/processes/process-lock.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Event, EventSchema } from "../contract/tremplin/v1/host_pb.js";
import type { EventLine } from "./event-line.ts";
import { readEvents } from "./event-reader.ts";
import { EventSegment, firstOf } from "./event-segment.ts";

/** What an event may tell. */
export type Notice = Event["notice"];

export interface EventLogOptions {
  /** The folder of its files; made when missing. One log at a time may use it, another is refused as `busy`. */
  readonly folder: string;
  readonly clock: Clock;
  /** A file is closed when it has grown beyond this. Default 8 MiB. */
  readonly maxFileBytes?: number;
}

const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** So many files are kept, the newest. */
const KEPT_FILES = 2;

interface Pending extends Pick<EventLine, "dedupeKey"> {
  readonly content: Omit<Event, "sequence" | "$typeName">;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * The durable record of what the guests told: JSON lines in two files of bounded size. Sequence numbers grow
 * by one and go on after a restart. What was appended is on disk before anyone hears of it.
 */
export class EventLog implements AsyncDisposable {
  readonly #options: EventLogOptions;
  readonly #hold: AsyncDisposable;
  readonly #segments: EventSegment[] = [];
  readonly #grown = new EventEmitter().setMaxListeners(0);
  readonly #underWay = new Map<string, Promise<void>>();
  #pending: Pending[] = [];
  #writing: Promise<void> | undefined;

  private constructor(options: EventLogOptions, hold: AsyncDisposable) {
    this.#options = options;
    this.#hold = hold;
  }

  static async open(options: EventLogOptions): Promise<EventLog> {
    const { folder } = options;
    // A folder above may be the daemon's: its engine's containers must be able to pass through.
    await mkdir(dirname(folder), { recursive: true, mode: 0o711 });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await using undo = new AsyncDisposableStack();
    const sentence = `cannot use the event log in ${folder}: another host has it open`;
    const log = undo.use(new EventLog(options, await acquireProcessLock(await realpath(folder), sentence)));
    const firsts = (await readdir(folder)).map(firstOf).filter((first) => first !== undefined);
    firsts.sort((a, b) => (a < b ? -1 : 1));
    for (const first of firsts) await log.#add(first);
    if (firsts.length === 0) await log.#add(1n);
    undo.move();
    return log;
  }

  /** The sequence number of the newest event, 0 before the first. */
  get newest(): bigint {
    return this.#current.last;
  }

  /** The first sequence number that is kept. */
  get oldest(): bigint {
    return (this.#segments[0] ?? this.#current).first;
  }

  /**
   * Records a notice, of an operation or of none, once for each id that is not empty: a repeat settles as the first one does and is not
   * recorded again. Settles when it is on disk; rejects with `unavailable` when it could not be written.
   */
  append(guest: string, content: Notice, id: string, operation = ""): Promise<void> {
    const notice = id && `${guest}/${id}`;
    if (this.#segments.some(({ notices }) => notices.has(notice))) return Promise.resolve();
    const earlier = this.#underWay.get(notice);
    if (earlier !== undefined) return earlier;
    const done = Promise.withResolvers<void>();
    const time = timestampFromMs(this.#options.clock.now());
    this.#pending.push({ dedupeKey: notice, content: { time, guest, operation, notice: content }, done });
    if (notice) this.#underWay.set(notice, done.promise);
    this.#writing ??= this.#write();
    return done.promise;
  }

  /**
   * The events after a sequence number, oldest first; with `follow`, also all that come, until the signal
   * fires. Throws when the caller is so slow that what it should read next is no longer kept.
   */
  async *read(after: bigint, follow: boolean, signal: AbortSignal): AsyncGenerator<Event, void, void> {
    const start = this.#segments.findLast(({ first }) => first <= after + 1n) ?? this.#segments[0];
    const grown = async (): Promise<boolean> => {
      if (!follow || signal.aborted) return false;
      return await once(this.#grown, "grown", { signal }).then(
        () => true,
        () => false,
      );
    };
    for await (const event of readEvents(start ?? this.#current, grown)) {
      if (signal.aborted) return;
      if (event.sequence > after) yield event;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await Promise.all(this.#segments.map((segment) => segment[Symbol.asyncDispose]()));
    await this.#hold[Symbol.asyncDispose]();
  }

  get #current(): EventSegment {
    return this.#segments.at(-1) as EventSegment;
  }

  /** Writes what waits, as much at once as there is. */
  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#commit(batch);
        for (const { done } of batch) done.resolve();
      } catch (error) {
        const sentence = `cannot write the event log in ${this.#options.folder}: ${(error as Error).message}`;
        for (const { done } of batch) done.reject(new TremplinError("unavailable", sentence, error));
      }
      for (const { dedupeKey } of batch) this.#underWay.delete(dedupeKey);
    }
    this.#writing = undefined;
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    const full = this.#current.length >= (this.#options.maxFileBytes ?? MAX_FILE_BYTES);
    if (full) await this.#add(this.newest + 1n);
    const first = this.newest + 1n;
    const lines = batch.map(({ content, dedupeKey }, index) => {
      return { dedupeKey, event: create(EventSchema, { ...content, sequence: first + BigInt(index) }) };
    });
    await this.#current.append(lines);
    this.#grown.emit("grown");
  }

  /** Makes a file the newest one, and drops the oldest beyond those kept. */
  async #add(first: bigint): Promise<void> {
    const segment = await EventSegment.open(this.#options.folder, first);
    const previous = this.#segments.at(-1);
    this.#segments.push(segment);
    if (previous) previous.next = segment;
    this.#grown.emit("grown");
    while (this.#segments.length > KEPT_FILES) {
      const dropped = this.#segments.shift() as EventSegment;
      await dropped[Symbol.asyncDispose]();
      await rm(dropped.path, { force: true });
    }
    await using folder = await open(this.#options.folder, "r");
    await folder.sync();
  }
}
