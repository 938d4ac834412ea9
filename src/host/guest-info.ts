import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Guest, Presence } from "./guest.ts";
import type { EventStore } from "./store/event-store.ts";

/** What the API says of a guest. */
export function guestInfo(guest: Guest, presence: Presence, events: EventStore) {
  const { name, address, isFixed, listenerProblem } = guest;
  const lastNotice = events.lastNotice(name);
  return {
    name,
    address,
    reachable: presence.reachable,
    failureReason: presence.reachable ? "" : presence.reason,
    fromCommandLine: isFixed,
    ...(lastNotice !== undefined && { lastNotice: timestampFromMs(lastNotice) }),
    listenerProblem,
  };
}
