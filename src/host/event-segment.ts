import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../base/files/files.ts";
import type { ErrorLog } from "../base/files/json-file.ts";
import { completeLines, decodeLine, type EventLine, encodeLine } from "./event-line.ts";

async function keepCopy(path: string, bytes: Buffer, log: ErrorLog): Promise<void> {
  const kept = `${path}.unreadable`;
  await replaceFile(kept, bytes);
  log.error(
    { file: path, kept },
    "a file of the event log is damaged: a copy is kept, and what can be read is used",
  );
}

const NAME = /^events\.(\d+)\.jsonl$/;

/** The first sequence number of the segment with that file name; undefined for other files. */
export function firstSequenceOf(fileName: string): bigint | undefined {
  const digits = NAME.exec(fileName)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

/**
 * One file of the log. Its name has the first sequence number, so the numbering survives an empty file. Only the newest
 * segment is written.
 */
export class EventSegment implements AsyncDisposable {
  readonly path: string;
  readonly first: bigint;
  /** The keys of the notices in it. */
  readonly dedupeKeys = new Set<string>();
  /** The newest sequence number in it; `first` - 1 while it is empty. */
  last: bigint;
  /** The number of bytes that are synchronised to disk. Readers stop there. */
  length = 0;
  /** The segment after this one. Once set, this one does not grow. */
  next: EventSegment | undefined;
  readonly #file: FileHandle;
  #mayBeTorn = false;

  private constructor(path: string, first: bigint, file: FileHandle) {
    this.path = path;
    this.first = first;
    this.last = first - 1n;
    this.#file = file;
  }

  /**
   * Opens or creates the file, and removes an incomplete end that a crash left. Where more than that cannot be read, a
   * copy of the file is kept.
   */
  static async open(folder: string, first: bigint, log: ErrorLog): Promise<EventSegment> {
    const path = join(folder, `events.${first}.jsonl`);
    const file = await open(path, "a+", 0o600);
    await using undo = new AsyncDisposableStack();
    undo.use(file);
    const segment = new EventSegment(path, first, file);
    const bytes = await file.readFile();
    let lost = 0;
    let end = 0;
    for (const found of completeLines(bytes)) {
      end = found.end;
      const line = decodeLine(found.text);
      if (line && line.event.sequence > segment.last) segment.#count(line, end);
      else lost++;
    }
    const torn = bytes.subarray(end);
    if (lost > 0 || (torn.length > 0 && !torn.toString("latin1").startsWith("{"))) {
      await keepCopy(path, bytes, log);
    }
    if (segment.length < bytes.length) await file.truncate(segment.length);
    await file.datasync();
    undo.move();
    return segment;
  }

  /** Appends all lines or none. Resolves when they are synchronised to disk. */
  async append(lines: readonly EventLine[]): Promise<void> {
    if (this.#mayBeTorn) await this.#file.truncate(this.length);
    this.#mayBeTorn = true;
    const bytes = Buffer.from(lines.map(encodeLine).join(""));
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
    this.#mayBeTorn = false;
    const length = this.length + bytes.length;
    for (const line of lines) this.#count(line, length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #count({ event, dedupeKey }: EventLine, length: number): void {
    this.last = event.sequence;
    this.length = length;
    if (dedupeKey) this.dedupeKeys.add(dedupeKey);
  }
}
