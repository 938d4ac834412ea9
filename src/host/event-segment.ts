import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { decodeLine, type EventLine, encodeLine, wholeLines } from "./event-line.ts";

const NAME = /^events\.(\d+)\.jsonl$/;

/** The sequence number with which the file of that name begins; undefined for any other file. */
export function firstOf(fileName: string): bigint | undefined {
  const digits = NAME.exec(fileName)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

/**
 * One file of the log, named by its first sequence number, so that the numbers survive even where the file is
 * empty still. Only the newest one is written to.
 */
export class EventSegment implements AsyncDisposable {
  readonly path: string;
  readonly first: bigint;
  /** The names of the notices in it. */
  readonly notices = new Set<string>();
  /** The newest sequence number in it; one less than `first` while it is empty. */
  last: bigint;
  /** How many bytes are safely on disk. Readers go no further. */
  length = 0;
  /** What follows this one. Once set, this one grows no more. */
  next: EventSegment | undefined;
  readonly #file: FileHandle;
  #torn = false;

  private constructor(path: string, first: bigint, file: FileHandle) {
    this.path = path;
    this.first = first;
    this.last = first - 1n;
    this.#file = file;
  }

  /** Opens or makes the file. What a crash left torn at its end is cut off. */
  static async open(folder: string, first: bigint): Promise<EventSegment> {
    const path = join(folder, `events.${first}.jsonl`);
    const file = await open(path, "a+", 0o600);
    await using undo = new AsyncDisposableStack();
    undo.use(file);
    const segment = new EventSegment(path, first, file);
    const bytes = await file.readFile();
    for (const { text, end } of wholeLines(bytes)) {
      const line = decodeLine(text);
      if (line) segment.#count(line, end);
    }
    if (segment.length < bytes.length) await file.truncate(segment.length);
    await file.datasync();
    undo.move();
    return segment;
  }

  /** Adds lines so that neither a crash nor a power cut loses them; all of them or none. */
  async append(lines: readonly EventLine[]): Promise<void> {
    if (this.#torn) await this.#file.truncate(this.length);
    this.#torn = true;
    const bytes = Buffer.from(lines.map(encodeLine).join(""));
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
    this.#torn = false;
    const length = this.length + bytes.length;
    for (const line of lines) this.#count(line, length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #count({ event, dedupeKey }: EventLine, length: number): void {
    this.last = event.sequence;
    this.length = length;
    if (dedupeKey) this.notices.add(dedupeKey);
  }
}
