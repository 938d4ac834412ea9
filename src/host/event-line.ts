import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Event, EventSchema } from "../contract/tremplin/v1/host_pb.js";

/** What one line of the log tells. */
export interface EventLine {
  readonly event: Event;
  /** The name under which the notice is counted once; empty when its guest gave none. */
  readonly dedupeKey: string;
}

/** One line with its end, as protobuf JSON beside the name of the notice. */
export function encodeLine({ event, dedupeKey }: EventLine): string {
  return `${JSON.stringify({ notice: dedupeKey, event: toJson(EventSchema, event) })}\n`;
}

/** Reads a line back; undefined when it is not whole. */
export function decodeLine(line: string): EventLine | undefined {
  try {
    const { notice, event } = JSON.parse(line) as { notice: string; event: JsonValue };
    return { dedupeKey: notice, event: fromJson(EventSchema, event, { ignoreUnknownFields: true }) };
  } catch {
    return undefined;
  }
}

const NEWLINE = 10;

/** The lines in some bytes that have their end, each with the position after it. */
export function* wholeLines(bytes: Buffer): Generator<{ text: string; end: number }, void, void> {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) return;
    yield { text: bytes.toString("utf8", start, end), end: end + 1 };
    start = end + 1;
  }
}
