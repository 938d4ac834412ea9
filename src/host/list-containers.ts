import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { containerActions, guestActions, guestRefusalOf, refusalOf } from "../actions/container-actions.ts";
import { type Container, Engine_State } from "../contract/tremplin/v1/guest_pb.js";
import { type ContainerReadings, engineText, type Reading } from "./container-readings.ts";
import type { Guest } from "./guest.ts";
import { guestInfo } from "./guest-info.ts";
import { operationInfo } from "./operation-info.ts";
import type { EventStore } from "./store/event-store.ts";
import type { PastOperation } from "./store/history.ts";

/** More operations than containers are never under way. */
const MAX_OPERATIONS = 1_000;

/** A guest with its containers: as they are, or, marked as stale, as they were last known. */
export async function containersOf(
  guest: Guest,
  readings: ContainerReadings,
  events: EventStore,
  withoutActions = false,
) {
  const reading = await readings.read(guest);
  const presence = reading.isLive
    ? { reachable: true as const, daemonId: undefined, engine: Engine_State.RUNNING }
    : reading.presence;
  const operations = operationsOf(guest, events);
  const info = guestInfo(guest, presence, events);
  const actions = guestActions.map((action) => ({ action, refusal: guestRefusal(action, guest, reading) }));
  if (!reading.isLive)
    return { guest: info, actions, ...lastKnown(guest, reading.reason, operations, events, withoutActions) };
  const ports = events.ports(guest.name);
  return {
    guest: info,
    failureReason: "",
    readAt: timestampFromMs(reading.time),
    containers: reading.containers.map((container) => ({
      container,
      stale: false,
      ports: [...(ports.get(container.name) ?? [])],
      ...operationField(container.operation === "" ? undefined : operations.get(container.name)),
      actions: withoutActions ? [] : legalActions(container, operations.get(container.name)),
    })),
    actions,
  };
}

function lastKnown(
  guest: Guest,
  failureReason: string,
  operations: ReadonlyMap<string, PastOperation>,
  events: EventStore,
  withoutActions: boolean,
) {
  const { containers, time } = events.lastKnown(guest.name);
  return {
    failureReason,
    ...(time !== undefined && { readAt: timestampFromMs(time) satisfies Timestamp }),
    containers: containers.map(({ container, ports }) => ({
      container,
      stale: true,
      ports: [...ports],
      ...operationField(operations.get(container.name)),
      actions: withoutActions ? [] : containerActions.map((action) => ({ action, refusal: failureReason })),
    })),
  };
}

function legalActions(
  { name, state, operation: kind, hasRollbackSnapshot }: Container,
  begun: PastOperation | undefined,
) {
  const startedAt = begun?.kind === kind ? begun.begun : undefined;
  const operation = kind === "" ? undefined : { kind, startedAt };
  return containerActions.map((action) => ({
    action,
    refusal: refusalOf(action, { name, state, operation, hasRollbackSnapshot })?.sentence ?? "",
  }));
}

function guestRefusal(action: (typeof guestActions)[number], guest: Guest, reading: Reading): string {
  if (reading.isLive) return guestRefusalOf(action, guest.name, "running") ?? "";
  const { presence, reason } = reading;
  if (!presence.reachable) return reason;
  // The original contract does not say how the engine is.
  if (presence.engine === undefined) return "";
  return guestRefusalOf(action, guest.name, engineText(presence.engine)) ?? "";
}

function operationsOf(guest: Guest, events: EventStore): Map<string, PastOperation> {
  const all = events.operations({ guest: guest.name, underWay: true, limit: MAX_OPERATIONS });
  return new Map(all.map((operation) => [operation.container, operation]));
}

function operationField(operation: PastOperation | undefined) {
  return operation === undefined ? {} : { operation: operationInfo(operation) };
}
