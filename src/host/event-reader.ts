import { type FileHandle, open } from "node:fs/promises";
import { TremplinError } from "../base/tremplin-error.ts";
import type { Event } from "../contract/tremplin/v1/host_pb.js";
import { completeLines, decodeLine } from "./event-line.ts";
import type { EventSegment } from "./event-segment.ts";

const CHUNK = 64 * 1024;

/**
 * The events of a segment and of all later ones. At the end of the newest segment it calls `grown`, which waits for more
 * events; false ends the reading. Holds one chunk in memory, however slow the caller is. Throws when a segment was
 * deleted before it was read.
 */
export async function* readEvents(
  segment: EventSegment,
  grown: () => Promise<boolean>,
): AsyncGenerator<Event, void, void> {
  for (let at: EventSegment | undefined = segment; at; at = at.next) {
    await using file = await openSegment(at);
    const reader = new SegmentReader(at, file);
    do {
      yield* reader.read();
    } while (reader.behind || (!at.next && (await grown())));
  }
}

/** Reads a segment in chunks while it grows. */
class SegmentReader {
  readonly #segment: EventSegment;
  readonly #file: FileHandle;
  #position = 0;
  #incomplete: Buffer = Buffer.alloc(0);

  constructor(segment: EventSegment, file: FileHandle) {
    this.#segment = segment;
    this.#file = file;
  }

  /** Whether the segment has bytes that were not read. */
  get behind(): boolean {
    return this.#position < this.#segment.length;
  }

  /** The events that were written and not read. */
  async *read(): AsyncGenerator<Event, void, void> {
    while (this.behind) {
      const chunk = Buffer.alloc(Math.min(CHUNK, this.#segment.length - this.#position));
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#position);
      if (bytesRead === 0) throw deletedError(this.#segment);
      this.#position += bytesRead;
      const bytes = Buffer.concat([this.#incomplete, chunk.subarray(0, bytesRead)]);
      let used = 0;
      for (const { text, end } of completeLines(bytes)) {
        used = end;
        const line = decodeLine(text);
        if (line) yield line.event;
      }
      this.#incomplete = bytes.subarray(used);
    }
  }
}

async function openSegment(segment: EventSegment): Promise<FileHandle> {
  try {
    return await open(segment.path, "r");
  } catch (error) {
    throw deletedError(segment, error);
  }
}

function deletedError({ path, first }: EventSegment, cause?: unknown): TremplinError {
  return new TremplinError("failed", `the events from ${first} on were deleted with ${path}`, cause);
}
