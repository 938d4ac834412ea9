import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type { Clock } from "../base/async/clock.ts";
import { type AddGuestRequest, Host } from "../contract/tremplin/v1/host_pb.js";
import { parseAddress } from "../transport/address.ts";
import { callerKey } from "../transport/caller.ts";
import type { AddedGuests } from "./added-guests.ts";
import type { ConsoleSignIn } from "./console/serve-console.ts";
import type { ContainerReadings } from "./container-readings.ts";
import type { Forwards } from "./forwards/forwards.ts";
import type { Guest, GuestSpec } from "./guest.ts";
import { guestInfo } from "./guest-info.ts";
import type { Guests } from "./guests.ts";
import { containersOf } from "./list-containers.ts";
import { listOperations } from "./list-operations.ts";
import type { EventStore } from "./store/event-store.ts";
import { watch } from "./watch.ts";

export interface HostServiceDeps {
  readonly guests: Guests;
  readonly added: AddedGuests;
  readonly readings: ContainerReadings;
  readonly events: EventStore;
  readonly forwards: Pick<Forwards, "settings">;
  readonly clock: Clock;
}

/** Routes of tremplin.v1.Host. */
export function hostService(router: ConnectRouter, deps: HostServiceDeps, console: ConsoleSignIn): void {
  const { guests, added, readings, events, forwards, clock } = deps;
  const describe = async (guest: Guest) => guestInfo(guest, await guest.presence(), events);
  /** Also a guest that was removed has a history. */
  const checkKnown = (name: string): void => {
    if (name !== "" && events.lastNotice(name) === undefined) guests.get(name);
  };
  router.service(Host, {
    async listGuests() {
      return { guests: await Promise.all(guests.all.map(describe)) };
    },
    async *watch(request, { signal }) {
      checkKnown(request.guest);
      yield* watch(request, { events, clock, signal });
    },
    listOperations(request) {
      checkKnown(request.guest);
      return { operations: listOperations(request, events) };
    },
    async listContainers({ guest, withoutActions }) {
      const wanted = guest === "" ? guests.all : [guests.get(guest)];
      const inOrder = wanted.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const read = (each: Guest) => containersOf(each, readings, events, withoutActions);
      return { guests: await Promise.all(inOrder.map(read)) };
    },
    async addGuest(request, context) {
      const guest = await added.add(specOf(request, context));
      readings.refresh(guest);
      return { guest: await describe(guest) };
    },
    async removeGuest({ name }) {
      await added.remove(name);
      if (!guests.find(name)) {
        events.forgetContainers(name);
        await forwards.settings.forgetGuest(name);
      }
      return {};
    },
    createConsoleToken() {
      const { url, signInUrl, expiresAt } = console.createSignIn();
      return { url, signInUrl, expiresAt: timestampFromMs(expiresAt) };
    },
  });
}

function specOf({ name, address, token, listener }: AddGuestRequest, { values }: HandlerContext): GuestSpec {
  const spec = {
    name,
    address: parseAddress(address),
    token: token === "" ? undefined : token,
    listener: listener === "" ? undefined : parseAddress(listener),
    isFixed: false,
  };
  const usesFiles = spec.address.kind === "unix" || spec.listener?.kind === "unix";
  if (usesFiles && values.get(callerKey).kind === "certificate") {
    const sentence = "socket files of the host can be used only by a person or program on its own machine";
    throw new ConnectError(sentence, Code.PermissionDenied);
  }
  return spec;
}
