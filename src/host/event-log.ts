import { EventEmitter, once } from "node:events";
import { mkdir, open, readdir, realpath, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Clock } from "../base/async/clock.ts";
import type { ErrorLog } from "../base/files/json-file.ts";
import { silentLogger } from "../base/logger.ts";
import { acquireProcessLock } from "../base/processes/process-lock.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Event, EventSchema } from "../contract/tremplin/v1/host_pb.js";
import type { EventLine } from "./event-line.ts";
import { readEvents } from "./event-reader.ts";
import { EventSegment, firstSequenceOf } from "./event-segment.ts";

/** The message of an event. */
export type Notice = Event["notice"];

export interface EventLogOptions {
  /** Created when missing. A second log in the same folder is refused with `busy`. */
  readonly folder: string;
  readonly clock: Clock;
  /** Gets reports of damaged files. Default: no log. */
  readonly log?: ErrorLog;
  /** A new segment begins when the current one is larger. Default: 8 MiB. */
  readonly maxFileBytes?: number;
}

const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** The number of segments that are kept. */
const KEPT_SEGMENTS = 2;

interface Pending extends Pick<EventLine, "dedupeKey"> {
  readonly content: Omit<Event, "sequence" | "$typeName">;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * The durable log of the guests' notices: JSON lines in two segments of bounded size. Sequence numbers increase by one,
 * also across a restart. An event is on disk before a reader gets it.
 */
export class EventLog implements AsyncDisposable {
  readonly #options: EventLogOptions;
  readonly #lock: AsyncDisposable;
  readonly #segments: EventSegment[] = [];
  readonly #grown = new EventEmitter().setMaxListeners(0);
  readonly #writes = new Map<string, Promise<void>>();
  #pending: Pending[] = [];
  #writing: Promise<void> | undefined;

  private constructor(options: EventLogOptions, lock: AsyncDisposable) {
    this.#options = options;
    this.#lock = lock;
  }

  static async open(options: EventLogOptions): Promise<EventLog> {
    const { folder } = options;
    // The parent may be the daemon's state folder, which the engine's containers must be able to pass through.
    await mkdir(dirname(folder), { recursive: true, mode: 0o711 });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await using undo = new AsyncDisposableStack();
    const message = `cannot use the event log in ${folder}: another host has it open`;
    const log = undo.use(new EventLog(options, await acquireProcessLock(await realpath(folder), message)));
    const firsts = (await readdir(folder)).map(firstSequenceOf).filter((first) => first !== undefined);
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

  /** The oldest sequence number that is kept. */
  get oldest(): bigint {
    return (this.#segments[0] ?? this.#current).first;
  }

  /**
   * Records a notice once for each non-empty id: a repeated one resolves with the first. Resolves when the notice is on
   * disk; rejects with `unavailable` when it cannot be written. `operation` is empty for a notice of no operation.
   */
  append(guest: string, content: Notice, id: string, operation = ""): Promise<void> {
    const dedupeKey = id && `${guest}/${id}`;
    if (this.#segments.some(({ dedupeKeys }) => dedupeKeys.has(dedupeKey))) return Promise.resolve();
    const earlier = this.#writes.get(dedupeKey);
    if (earlier !== undefined) return earlier;
    const done = Promise.withResolvers<void>();
    const time = timestampFromMs(this.#options.clock.now());
    this.#pending.push({ dedupeKey, content: { time, guest, operation, notice: content }, done });
    if (dedupeKey) this.#writes.set(dedupeKey, done.promise);
    this.#writing ??= this.#write();
    return done.promise;
  }

  /**
   * The events after a sequence number, oldest first; with `follow`, also new ones until the signal fires. Throws when
   * the caller is so slow that its next event is no longer kept.
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
    await this.#lock[Symbol.asyncDispose]();
  }

  get #current(): EventSegment {
    return this.#segments.at(-1) as EventSegment;
  }

  /** Writes the pending notices in batches. */
  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#commit(batch);
        for (const { done } of batch) done.resolve();
      } catch (error) {
        const message = `cannot write the event log in ${this.#options.folder}: ${(error as Error).message}`;
        for (const { done } of batch) done.reject(new TremplinError("unavailable", message, error));
      }
      for (const { dedupeKey } of batch) this.#writes.delete(dedupeKey);
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

  /** Begins a new segment, and deletes the oldest. */
  async #add(first: bigint): Promise<void> {
    const segment = await EventSegment.open(this.#options.folder, first, this.#options.log ?? silentLogger);
    const previous = this.#segments.at(-1);
    this.#segments.push(segment);
    if (previous) previous.next = segment;
    this.#grown.emit("grown");
    while (this.#segments.length > KEPT_SEGMENTS) {
      const dropped = this.#segments.shift() as EventSegment;
      await dropped[Symbol.asyncDispose]();
      await rm(dropped.path, { force: true });
    }
    await using folder = await open(this.#options.folder, "r");
    await folder.sync();
  }
}
