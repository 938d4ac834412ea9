import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { OperationInfo_State } from "../contract/tremplin/v1/host_pb.js";
import type { PastOperation } from "./store/history.ts";

const STATES = {
  going: OperationInfo_State.UNDER_WAY,
  done: OperationInfo_State.SUCCEEDED,
  failed: OperationInfo_State.FAILED,
} as const;

/** What the API says of an operation. */
export function operationInfo({
  id,
  container,
  state,
  begun,
  updated,
  ended,
  percent,
  ...rest
}: PastOperation) {
  return {
    guest: rest.guest,
    operation: id,
    kind: rest.kind.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    containerName: container,
    state: STATES[state],
    begun: timestampFromMs(begun),
    updated: timestampFromMs(updated),
    text: rest.text,
    ...(ended !== undefined && { ended: timestampFromMs(ended) satisfies Timestamp }),
    ...(percent !== undefined && { percent }),
  };
}
