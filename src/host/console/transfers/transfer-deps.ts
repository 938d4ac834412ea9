import type { Guest } from "../../guest.ts";
import type { EventStore } from "../../store/event-store.ts";
import type { Exchanges } from "./exchanges.ts";

export interface TransferDeps {
  readonly guest: Guest;
  readonly exchanges: Exchanges;
  readonly events: Pick<EventStore, "newest" | "read">;
  readonly shutdownSignal: AbortSignal;
}
