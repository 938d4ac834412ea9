import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { backoff } from "../base/async/backoff.ts";
import { systemClock } from "../base/async/clock.ts";
import type { Event, Host } from "../contract/tremplin/v1/host_pb.js";
import type { Connection } from "../transport/client.ts";
import type { WatchOptions } from "./types.ts";

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

/** A watch that has begun: from here on no event is missed. */
export interface Watch {
  readonly events: AsyncGenerator<Event, void, void>;
}

/** Begins a watch. Rejects where the host cannot be reached. */
export async function watchEvents(
  connection: Connection,
  host: Client<typeof Host>,
  options: WatchOptions = {},
): Promise<Watch> {
  const cursor: Cursor = { after: options.after };
  const first = await attach(host, cursor, options);
  return { events: follow(connection, host, first, cursor, options) };
}

/** The last event that was handled. */
interface Cursor {
  after: bigint | undefined;
}

async function* follow(
  connection: Connection,
  host: Client<typeof Host>,
  first: AsyncIterator<Event>,
  cursor: Cursor,
  options: WatchOptions,
): AsyncGenerator<Event, void, void> {
  for (let stream = first; ; ) {
    try {
      for (let next = await stream.next(); !next.done; next = await stream.next()) {
        yield next.value;
        cursor.after = next.value.sequence;
      }
      options.onOutage?.("the host ended the watch");
    } catch (thrown) {
      options.signal?.throwIfAborted();
      options.onOutage?.(reasonToWait(connection, thrown));
    } finally {
      await stream.return?.();
    }
    stream = await attachAgain(connection, host, cursor, options);
    options.onOutage?.(undefined);
  }
}

async function attachAgain(
  connection: Connection,
  host: Client<typeof Host>,
  cursor: Cursor,
  options: WatchOptions,
): Promise<AsyncIterator<Event>> {
  for (const wait of backoff(FIRST_RETRY_MS, LAST_RETRY_MS)) {
    await systemClock.sleep(wait, options.signal);
    try {
      return await attach(host, cursor, options);
    } catch (thrown) {
      options.signal?.throwIfAborted();
      reasonToWait(connection, thrown);
    }
  }
  throw new Error("unreachable");
}

/** Why the host is away. Throws what is no reason to wait. */
function reasonToWait({ whyUnanswered }: Connection, thrown: unknown): string {
  const error = ConnectError.from(thrown);
  const reason = whyUnanswered(error)?.reason;
  if (reason !== undefined) return reason;
  if (error.code === Code.Unavailable) return error.rawMessage;
  throw error;
}

/** Opens a watch and reads its first message, which says from which event on it is complete. */
async function attach(
  host: Client<typeof Host>,
  cursor: Cursor,
  { guest = "", containerName = "", signal, onMissed }: WatchOptions,
): Promise<AsyncIterator<Event>> {
  const { after } = cursor;
  const begin = after === undefined ? {} : { after };
  const calling = signal ? { signal } : {};
  const stream = host.watch({ guest, containerName, ...begin }, calling)[Symbol.asyncIterator]();
  const { value } = await stream.next();
  if (value?.notice.case !== "begun") {
    await stream.return?.();
    throw new ConnectError(
      "this is no host of Tremplin: the watch does not begin as one",
      Code.Unimplemented,
    );
  }
  const { newest, oldest } = value.notice.value;
  cursor.after ??= newest;
  if (after !== undefined && oldest > after + 1n) {
    if (!onMissed) {
      await stream.return?.();
      throw new ConnectError(
        `the host has dropped the events ${after + 1n} to ${oldest - 1n}`,
        Code.DataLoss,
      );
    }
    onMissed(after + 1n, oldest - 1n);
  }
  return stream;
}
