import { isIP } from "node:net";
import { Code, type ConnectError } from "@connectrpc/connect";
import { guestRefusalOf } from "../actions/container-actions.ts";
import { backoff } from "../base/async/backoff.ts";
import type { Clock } from "../base/async/clock.ts";
import { forEachOf } from "../base/async/for-each-of.ts";
import { isContainerName } from "../base/container-name.ts";
import type { Logger } from "../base/logger.ts";
import { errorMessage } from "../base/tremplin-error.ts";
import { type Container, Engine_State } from "../contract/tremplin/v1/guest_pb.js";
import type { Guest, Presence } from "./guest.ts";
import type { EventStore } from "./store/event-store.ts";

/** A guest that has not answered after this time is asked whether it is there at all. */
const PATIENCE_MS = 3_000;
/** How often, and how long apart, a guest that was just there is asked again. */
const RETRIES = 6;
const RETRY_DELAYS_MS = [100, 2_000] as const;
/** Guests that are read at once. */
const PARALLEL = 16;
/** Of one guest: what more there is is left out. */
const MAX_CONTAINERS = 2_000;
const MAX_ADDRESSES = 64;
const MAX_TEXT = 300;

/** What a guest says of its containers now. */
export type Reading =
  | { readonly isLive: true; readonly containers: readonly Container[]; readonly time: number }
  | { readonly isLive: false; readonly reason: string; readonly presence: Presence };

export interface ReadingDeps {
  readonly events: EventStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Reads the containers of guests, and keeps what it read for the time when they are away. */
export class ContainerReadings implements AsyncDisposable {
  readonly #deps: ReadingDeps;
  readonly #shutdown = new AbortController();
  readonly #underWay = new Map<Guest, Promise<Reading>>();
  readonly #refreshing = new Set<Promise<void>>();

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  /** The containers of a guest as they are now. Callers at the same time share one reading. Never rejects. */
  read(guest: Guest): Promise<Reading> {
    const underWay = this.#underWay.get(guest);
    if (underWay) return underWay;
    const reading = this.#read(guest).finally(() => this.#underWay.delete(guest));
    this.#underWay.set(guest, reading);
    return reading;
  }

  /** Reads a guest that has just begun to serve: its containers may be others than before. */
  refresh(guest: Guest): void {
    this.#inBackground(() => this.#readUntilLive(guest));
  }

  /** Reads all guests once. */
  refreshAll(guests: readonly Guest[]): void {
    this.#inBackground(() => forEachOf(guests, PARALLEL, async (guest) => void (await this.read(guest))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    await Promise.all([...this.#refreshing, ...this.#underWay.values()]);
  }

  #inBackground(work: () => Promise<void>): void {
    const running = work()
      .catch((error) => this.#deps.log.error({ error }, "guests could not be read"))
      .finally(() => this.#refreshing.delete(running));
    this.#refreshing.add(running);
  }

  async #readUntilLive(guest: Guest): Promise<void> {
    const { signal } = this.#shutdown;
    let tries = 0;
    for (const pause of backoff(...RETRY_DELAYS_MS)) {
      const reading = await this.read(guest);
      if (reading.isLive || reading.presence.reachable || ++tries > RETRIES) return;
      await this.#deps.clock.sleep(pause, signal).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  async #read(guest: Guest): Promise<Reading> {
    const { events, clock, log } = this.#deps;
    const after = Number(events.newest);
    try {
      const containers = checked(await this.#ask(guest));
      const time = clock.now();
      try {
        events.keepReading({ guest: guest.name, containers, time, after });
      } catch (error) {
        log.warn({ error, guest: guest.name }, "the containers that were read could not be kept");
      }
      return { isLive: true, containers, time };
    } catch (thrown) {
      return await explain(guest, thrown);
    }
  }

  /** A guest that is away is known to be so before the time limit of the list. */
  async #ask(guest: Guest): Promise<Container[]> {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#shutdown.signal]);
    try {
      return await Promise.race([guest.listContainers(signal), this.#failIfAway(guest, signal)]);
    } finally {
      stop.abort();
    }
  }

  async #failIfAway(guest: Guest, signal: AbortSignal): Promise<never> {
    await this.#deps.clock.sleep(PATIENCE_MS, signal).catch(() => undefined);
    const presence = signal.aborted ? undefined : await guest.presence();
    if (presence?.reachable === false) throw new AwayError(presence.reason);
    return await new Promise<never>(() => undefined);
  }
}

class AwayError extends Error {}

async function explain(guest: Guest, thrown: unknown): Promise<Reading> {
  if (thrown instanceof AwayError) return notLive(thrown.message, false);
  const error: ConnectError = guest.explain(thrown);
  if (guest.connection.whyUnanswered(thrown) || error.code === Code.Canceled)
    return notLive(error.rawMessage, false);
  if (error.code === Code.Unimplemented) {
    return notLive(
      `guest ${guest.name} supports only the original contract and cannot list its containers`,
      true,
    );
  }
  const presence = await guest.presence();
  if (!presence.reachable) return { isLive: false, reason: presence.reason, presence };
  const byEngine = guestRefusalOf("create", guest.name, engineText(presence.engine));
  return { isLive: false, reason: byEngine ?? errorMessage(new Error(error.rawMessage)), presence };
}

function notLive(reason: string, reachable: boolean): Reading {
  const presence: Presence = reachable
    ? { reachable, daemonId: undefined, engine: undefined }
    : { reachable, reason };
  return { isLive: false, reason, presence };
}

/** As the table of actions has it. */
export function engineText(state: Engine_State | undefined): string {
  return (Engine_State[state ?? Engine_State.STATE_UNSPECIFIED] ?? "unknown").toLowerCase();
}

/** What a guest says is not trusted: names that no engine gives are left out, and texts are bounded. */
function checked(containers: readonly Container[]): Container[] {
  const seen = new Set<string>();
  const isNew = ({ name }: Container): boolean => {
    if (seen.has(name) || !isContainerName(name)) return false;
    seen.add(name);
    return true;
  };
  return containers
    .filter(isNew)
    .slice(0, MAX_CONTAINERS)
    .map((each) => ({
      ...each,
      state: /^[a-z]{1,32}$/.test(each.state) ? each.state : "unknown",
      operation: /^[a-z-]{1,32}$/.test(each.operation) ? each.operation : each.operation && "unknown",
      ipv4Address: isIP(each.ipv4Address) === 4 ? each.ipv4Address : "",
      addresses: each.addresses.filter((address) => isIP(address)).slice(0, MAX_ADDRESSES),
      image: each.image.slice(0, MAX_TEXT),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
