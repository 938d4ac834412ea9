import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import * as z from "zod";
import { type Event, EventSchema } from "../contract/tremplin/v1/host_pb.js";

const lineSchema = z.object({ notice: z.string(), event: z.json() });

/** One line of the log. */
export interface EventLine {
  readonly event: Event;
  /** A notice is recorded once for each key. Empty when the guest sent no id. `notice` in the file. */
  readonly dedupeKey: string;
}

/** The line with its end: the key, and the event as protobuf JSON. */
export function encodeLine({ event, dedupeKey }: EventLine): string {
  return `${JSON.stringify({ notice: dedupeKey, event: toJson(EventSchema, event) })}\n`;
}

/** Undefined for a line that is incomplete or damaged. */
export function decodeLine(line: string): EventLine | undefined {
  try {
    const { notice, event } = lineSchema.parse(JSON.parse(line));
    return {
      dedupeKey: notice,
      event: fromJson(EventSchema, event as JsonValue, { ignoreUnknownFields: true }),
    };
  } catch {
    return undefined;
  }
}

const NEWLINE = 10;

/** The complete lines in some bytes, each with the position after it. */
export function* completeLines(bytes: Buffer): Generator<{ text: string; end: number }, void, void> {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) return;
    yield { text: bytes.toString("utf8", start, end), end: end + 1 };
    start = end + 1;
  }
}
