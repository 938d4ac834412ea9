import { type FileHandle, open } from "node:fs/promises";
import { TremplinError } from "../base/tremplin-error.ts";
import type { Event } from "../contract/tremplin/v1/host_pb.js";
import { decodeLine, wholeLines } from "./event-line.ts";
import type { EventSegment } from "./event-segment.ts";

const CHUNK = 64 * 1024;

/**
 * The events from the start of a segment on, through all that follow. At the end of the newest it asks
 * `grown` to wait for more, and ends when that says no. Holds one chunk at a time, whatever the speed of the
 * caller: what it has not read yet lies in the files only. Throws where such a file has been dropped.
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

/** Reads a segment piece by piece as it grows. */
class SegmentReader {
  readonly #segment: EventSegment;
  readonly #file: FileHandle;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(segment: EventSegment, file: FileHandle) {
    this.#segment = segment;
    this.#file = file;
  }

  /** Whether there is more by now. */
  get behind(): boolean {
    return this.#position < this.#segment.length;
  }

  /** What has not been read yet, as far as it is there now. */
  async *read(): AsyncGenerator<Event, void, void> {
    while (this.behind) {
      const chunk = Buffer.alloc(Math.min(CHUNK, this.#segment.length - this.#position));
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#position);
      if (bytesRead === 0) throw lost(this.#segment);
      this.#position += bytesRead;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)]);
      let used = 0;
      for (const { text, end } of wholeLines(bytes)) {
        used = end;
        const line = decodeLine(text);
        if (line) yield line.event;
      }
      this.#rest = bytes.subarray(used);
    }
  }
}

async function openSegment(segment: EventSegment): Promise<FileHandle> {
  try {
    return await open(segment.path, "r");
  } catch (error) {
    throw lost(segment, error);
  }
}

function lost({ path, first }: EventSegment, cause?: unknown): TremplinError {
  return new TremplinError("failed", `the events from ${first} on are no longer kept in ${path}`, cause);
}
