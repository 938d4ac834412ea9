import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ListOperationsRequest } from "../contract/tremplin/v1/host_pb.js";
import { operationInfo } from "./operation-info.ts";
import type { EventStore } from "./store/event-store.ts";

const MAX_OPERATIONS = 1000;

export function listOperations(request: ListOperationsRequest, events: EventStore) {
  const found = events.operations({
    guest: request.guest || undefined,
    container: request.containerName || undefined,
    since: request.since && timestampMs(request.since),
    underWay: request.underWay,
    limit: Math.min(request.limit || MAX_OPERATIONS, MAX_OPERATIONS),
  });
  return found.map(operationInfo);
}
