import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { completeLines, decodeLine, type EventLine, encodeLine } from "./event-line.ts";

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

  /** Opens or creates the file, and removes an incomplete end that a crash left. */
  static async open(folder: string, first: bigint): Promise<EventSegment> {
    const path = join(folder, `events.${first}.jsonl`);
    const file = await open(path, "a+", 0o600);
    await using undo = new AsyncDisposableStack();
    undo.use(file);
    const segment = new EventSegment(path, first, file);
    const bytes = await file.readFile();
    for (const { text, end } of completeLines(bytes)) {
      const line = decodeLine(text);
      if (line) segment.#count(line, end);
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
