import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";

const LATEST = Date.UTC(9999, 11, 31);

/** A timestamp from milliseconds since 1970; undefined outside of the range that a message can carry. */
export function timestampFrom(milliseconds: number): Timestamp | undefined {
  const isTime = milliseconds >= 0 && milliseconds <= LATEST;
  return isTime ? timestampFromMs(Math.floor(milliseconds)) : undefined;
}
