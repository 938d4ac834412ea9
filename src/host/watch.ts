import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";
import { errorMessage } from "../base/tremplin-error.ts";
import { type Event, EventSchema, type WatchRequest } from "../contract/tremplin/v1/host_pb.js";
import type { EventStore } from "./store/event-store.ts";

interface WatchContext {
  readonly events: EventStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The events after a cursor, then new ones. */
export async function* watch(
  request: WatchRequest,
  { events, clock, signal }: WatchContext,
): AsyncGenerator<Event, void, void> {
  const guest = request.guest || undefined;
  const container = request.containerName || undefined;
  const { newest } = events;
  if (request.after !== undefined && request.after > newest) {
    const sentence = `there is no event ${request.after} yet, the newest is ${newest}: this cursor is of another host or of a lost event log; watch again without it`;
    throw new ConnectError(sentence, Code.OutOfRange);
  }
  const after = request.after ?? (request.since ? events.before(timestampMs(request.since)) : newest);
  yield create(EventSchema, {
    time: timestampFromMs(clock.now()),
    notice: { case: "begun", value: { newest, oldest: events.oldest(guest) } },
  });
  try {
    yield* events.read({ guest, container, after, follow: !request.onlyLog, signal });
  } catch (thrown) {
    throw new ConnectError(`the watch has missed events: ${errorMessage(thrown)}`, Code.DataLoss);
  }
}
