import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Event, Host } from "../../contract/tremplin/v1/host_pb.js";
import type { HostApi } from "./host-api.ts";

/** How long a host may be away in the middle. Milliseconds. */
const PATIENCE = 120_000;

export interface FollowOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Events after this sequence number; unset: from now on. */
  readonly after?: bigint | undefined;
  /** Told when the host has gone, and when it is back (undefined). */
  readonly onAway?: (reason: string | undefined) => void;
  /** Told when events were dropped before they could be read. */
  readonly onMissed?: (from: bigint, to: bigint) => void;
}

/** Events that began to flow already. */
export interface Following {
  readonly events: AsyncGenerator<Event, void, void>;
  /** The newest sequence number that was seen; a later watch goes on after it. */
  readonly newest: bigint;
}

/**
 * Attaches to the events of the chosen guest, and answers once nothing can be missed any more. When the host
 * goes away it is called again, for two minutes, and told where to go on: no event is missed or seen twice.
 */
export async function followEvents(api: HostApi, options: FollowOptions): Promise<Following> {
  const state = { newest: options.after };
  const first = await attach(api, state, options);
  return {
    events: events(api, first, state, options),
    get newest() {
      return state.newest ?? 0n;
    },
  };
}

interface State {
  newest: bigint | undefined;
}

async function* events(
  api: HostApi,
  first: AsyncIterator<Event>,
  state: State,
  options: FollowOptions,
): AsyncGenerator<Event, void, void> {
  for (let stream = first; ; ) {
    try {
      for (let next = await stream.next(); !next.done; next = await stream.next()) {
        state.newest = next.value.sequence;
        yield next.value;
      }
      throw new TremplinError("unavailable", "the host ended the watch");
    } catch (thrown) {
      if (!isAway(thrown)) throw thrown;
      options.onAway?.(thrown.message);
    } finally {
      await stream.return?.();
    }
    stream = await reattach(api, state, options);
    options.onAway?.(undefined);
  }
}

async function reattach(api: HostApi, state: State, options: FollowOptions): Promise<AsyncIterator<Event>> {
  const deadline = options.clock.now() + PATIENCE;
  for (const wait of backoff(100, 2_000)) {
    await options.clock.sleep(wait, options.signal);
    try {
      return await attach(api, state, options);
    } catch (thrown) {
      if (!isAway(thrown) || options.clock.now() > deadline) throw thrown;
    }
  }
  throw new TremplinError("unavailable", "the host stayed away");
}

/** Opens a watch and reads its first message, which says from where on nothing is missed. */
async function attach(api: HostApi, state: State, options: FollowOptions): Promise<AsyncIterator<Event>> {
  const after = state.newest;
  const request = { guest: api.guest, ...(after === undefined ? {} : { after }) };
  const stream = api.stream(Host.method.watch, request, { signal: options.signal });
  const first = await stream.next();
  const notice = first.value?.notice;
  if (notice?.case !== "begun") {
    await stream.return();
    throw new TremplinError("failed", `what answers at ${api.address} is no Tremplin host`);
  }
  state.newest ??= notice.value.newest;
  if (after !== undefined && notice.value.oldest > after + 1n) {
    options.onMissed?.(after + 1n, notice.value.oldest - 1n);
  }
  return stream;
}

function isAway(thrown: unknown): thrown is TremplinError {
  return thrown instanceof TremplinError && thrown.code === "unavailable";
}
