import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";
import { errorMessage } from "../base/tremplin-error.ts";
import { type Event, EventSchema, Host, type WatchRequest } from "../contract/tremplin/v1/host_pb.js";
import type { EventLog } from "./event-log.ts";
import type { Guests } from "./guests.ts";

/** Routes of tremplin.v1.Host. */
export function hostService(router: ConnectRouter, guests: Guests, events: EventLog, clock: Clock): void {
  router.service(Host, {
    async listGuests() {
      return { guests: await Promise.all(guests.all.map(describe)) };
    },
    async *watch(request, { signal }) {
      yield* watch(request, { guests, events, clock, signal });
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
  readonly events: EventLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function* watch(request: WatchRequest, context: WatchContext): AsyncGenerator<Event, void, void> {
  const { guests, events, clock, signal } = context;
  if (request.guest) guests.get(request.guest);
  const { newest, oldest } = events;
  yield create(EventSchema, {
    time: timestampFromMs(clock.now()),
    notice: { case: "begun", value: { newest, oldest } },
  });
  try {
    for await (const event of events.read(request.after ?? newest, !request.onlyLog, signal)) {
      if (!request.guest || event.guest === request.guest) yield event;
    }
  } catch (thrown) {
    throw new ConnectError(`the watch has missed events: ${errorMessage(thrown)}`, Code.DataLoss);
  }
}
