import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Event, Host } from "../../contract/tremplin/v1/host_pb.js";
import type { HostApi } from "./host-api.ts";

/** How long a host may be unreachable during a watch. */
const RECONNECT_TIMEOUT_MS = 120_000;

export interface FollowOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Events after this sequence number. Default: from now on. */
  readonly after?: bigint | undefined;
  /** Events since a time, in milliseconds since 1970. Ignored with `after`. */
  readonly since?: number | undefined;
  /** End after the events that the host has. Default: no. */
  readonly once?: boolean;
  /** Called with a reason when the host becomes unreachable, and with undefined when it is back. */
  readonly onOutage?: (reason: string | undefined) => void;
  /** Called when the host dropped events before they could be read. */
  readonly onMissed?: (from: bigint, to: bigint) => void;
}

/** A watch that has begun. */
export interface EventStream {
  readonly events: AsyncGenerator<Event, void, void>;
  /** The newest sequence number so far; a later watch can continue after it. */
  readonly newest: bigint;
}

/**
 * Subscribes to the events of the chosen guest, and returns once no event can be missed any more. When the host becomes
 * unreachable it reconnects for up to two minutes and continues after the newest event: none is missed or seen twice.
 */
export async function followEvents(api: HostApi, options: FollowOptions): Promise<EventStream> {
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
      if (options.once) return;
      throw new TremplinError("unavailable", "the host ended the watch");
    } catch (thrown) {
      if (!isUnavailable(thrown)) throw thrown;
      options.onOutage?.(thrown.message);
    } finally {
      await stream.return?.();
    }
    stream = await reattach(api, state, options);
    options.onOutage?.(undefined);
  }
}

async function reattach(api: HostApi, state: State, options: FollowOptions): Promise<AsyncIterator<Event>> {
  const deadline = options.clock.elapsed() + RECONNECT_TIMEOUT_MS;
  for (const wait of backoff(100, 2_000)) {
    await options.clock.sleep(wait, options.signal);
    try {
      return await attach(api, state, options);
    } catch (thrown) {
      if (!isUnavailable(thrown) || options.clock.elapsed() > deadline) throw thrown;
    }
  }
  throw new TremplinError("unavailable", "the host stayed unreachable");
}

/** Opens a watch and reads its first message, which says from which event on the watch is complete. */
async function attach(api: HostApi, state: State, options: FollowOptions): Promise<AsyncIterator<Event>> {
  const after = state.newest;
  const since =
    after === undefined && options.since !== undefined ? timestampFromMs(options.since) : undefined;
  const onlyLog = options.once ?? false;
  const begin = { ...(after !== undefined && { after }), ...(since && { since }) };
  const request = { guest: api.guest, onlyLog, ...begin };
  const stream = api.stream(Host.method.watch, request, { signal: options.signal });
  const first = await stream.next();
  const notice = first.value?.notice;
  if (notice?.case !== "begun") {
    await stream.return();
    throw new TremplinError("failed", `the server at ${api.address} is not a Tremplin host`);
  }
  // With a time, events before the newest one follow: a reconnection continues after those that were read.
  if (since === undefined) state.newest ??= notice.value.newest;
  if (after !== undefined && notice.value.oldest > after + 1n) {
    options.onMissed?.(after + 1n, notice.value.oldest - 1n);
  }
  return stream;
}

function isUnavailable(thrown: unknown): thrown is TremplinError {
  return thrown instanceof TremplinError && thrown.code === "unavailable";
}
