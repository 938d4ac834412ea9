import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";
import { errorMessage } from "../base/tremplin-error.ts";
import {
  type Event,
  EventSchema,
  Host,
  type ListOperationsRequest,
  OperationInfo_State,
  type WatchRequest,
} from "../contract/tremplin/v1/host_pb.js";
import type { ConsoleSignIn } from "./console/serve-console.ts";
import type { Guests } from "./guests.ts";
import type { EventStore } from "./store/event-store.ts";
import type { PastOperation } from "./store/history.ts";

const MAX_OPERATIONS = 1000;

/** Routes of tremplin.v1.Host. */
export function hostService(
  router: ConnectRouter,
  guests: Guests,
  events: EventStore,
  clock: Clock,
  console: ConsoleSignIn,
): void {
  router.service(Host, {
    async listGuests() {
      return { guests: await Promise.all(guests.all.map(describe)) };
    },
    async *watch(request, { signal }) {
      yield* watch(request, { guests, events, clock, signal });
    },
    listOperations(request) {
      return { operations: listOperations(request, guests, events) };
    },
    createConsoleToken() {
      const { url, signInUrl, expiresAt } = console.createSignIn();
      return { url, signInUrl, expiresAt: timestampFromMs(expiresAt) };
    },
  });
}

async function describe(guest: Guests["all"][number]) {
  const { name, address } = guest;
  const presence = await guest.presence();
  if (presence.reachable) return { name, address, reachable: true };
  return { name, address, reachable: false, failureReason: presence.reason };
}

interface WatchContext {
  readonly guests: Guests;
  readonly events: EventStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function* watch(request: WatchRequest, context: WatchContext): AsyncGenerator<Event, void, void> {
  const { guests, events, clock, signal } = context;
  const guest = request.guest || undefined;
  if (guest !== undefined) guests.get(guest);
  const { newest } = events;
  const after = request.after ?? (request.since ? events.before(timestampMs(request.since)) : newest);
  yield create(EventSchema, {
    time: timestampFromMs(clock.now()),
    notice: { case: "begun", value: { newest, oldest: events.oldest(guest) } },
  });
  try {
    yield* events.read({ guest, after, follow: !request.onlyLog, signal });
  } catch (thrown) {
    throw new ConnectError(`the watch has missed events: ${errorMessage(thrown)}`, Code.DataLoss);
  }
}

function listOperations(request: ListOperationsRequest, guests: Guests, events: EventStore) {
  if (request.guest) guests.get(request.guest);
  const found = events.operations({
    guest: request.guest || undefined,
    container: request.containerName || undefined,
    since: request.since && timestampMs(request.since),
    underWay: request.underWay,
    limit: Math.min(request.limit || MAX_OPERATIONS, MAX_OPERATIONS),
  });
  return found.map(operationInfo);
}

const STATES = {
  going: OperationInfo_State.UNDER_WAY,
  done: OperationInfo_State.SUCCEEDED,
  failed: OperationInfo_State.FAILED,
} as const;

function operationInfo({ id, container, state, begun, updated, ended, percent, ...rest }: PastOperation) {
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
