import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";

const LATEST = Date.UTC(9999, 11, 31);

/** Milliseconds since 1970 from a file or the engine; undefined where they are no time that a message can carry. */
export function timestampFrom(milliseconds: number): Timestamp | undefined {
  const isTime = milliseconds >= 0 && milliseconds <= LATEST;
  return isTime ? timestampFromMs(Math.floor(milliseconds)) : undefined;
}
