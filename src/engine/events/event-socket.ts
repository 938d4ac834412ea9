import type { WebSocket } from "ws";
import type { Clock } from "../../base/async/clock.ts";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { openWebSocket } from "../http/engine-websocket.ts";
import type { EngineEvent } from "./engine-event.ts";

export interface EventSocket {
  /** Resolves when no more events arrive from it. Never rejects. */
  readonly ended: Promise<void>;
}

/** The socket is closed after two unanswered pings. */
const PING_INTERVAL_MS = 30_000;

/**
 * Opens one connection of the event stream. Once it is open no event is missed: the engine answers the upgrade before
 * it adds its listener, but it reads, and so answers a ping, only afterwards.
 */
export async function openEventSocket(
  http: EngineHttp,
  clock: Clock,
  deliver: (event: EngineEvent) => void,
  { allProjects }: { allProjects: boolean },
): Promise<EventSocket> {
  const path = `/1.0/events?type=operation,lifecycle${allProjects ? "&all-projects=true" : ""}`;
  const socket = await openWebSocket(http.address, path, { signal: http.closed });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  // A socket that breaks in the middle of a message may never emit `close`.
  const stop = () => {
    socket.terminate();
    end();
  };
  socket.once("close", end);
  socket.on("error", stop);
  http.closed.addEventListener("abort", stop, { once: true });
  void ended.then(() => http.closed.removeEventListener("abort", stop));
  socket.on("message", (data) => {
    const event = parseEvent(String(data));
    // Subscribers read again after a reconnection, so a lost event does no harm.
    if (event === "garbled") stop();
    else if (event) deliver(event);
  });
  socket.resume();
  await firstPong(socket, ended);
  void pingRegularly(socket, clock, { ended, stop });
  return { ended };
}

async function firstPong(socket: WebSocket, ended: Promise<void>): Promise<void> {
  const late = () => new TremplinError("unavailable", "the engine's event stream does not answer a ping");
  using limit = new TimeLimit(PING_INTERVAL_MS, late, []);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("pong", () => resolve());
      void ended.then(() => reject(new TremplinError("unavailable", "the engine closed its event stream")));
      limit.signal.addEventListener("abort", () => reject(limit.signal.reason));
      socket.ping();
    });
  } catch (error) {
    socket.terminate();
    throw error;
  }
}

async function pingRegularly(
  socket: WebSocket,
  clock: Clock,
  { ended, stop }: EventSocket & { readonly stop: () => void },
): Promise<void> {
  const over = new AbortController();
  void ended.then(() => over.abort());
  let silent = 0;
  socket.on("pong", () => {
    silent = 0;
  });
  while (!over.signal.aborted) {
    await clock.sleep(PING_INTERVAL_MS, over.signal).catch(() => undefined);
    if (over.signal.aborted) return;
    if (++silent > 2) stop();
    else socket.ping();
  }
}

function parseEvent(text: string): EngineEvent | "garbled" | undefined {
  try {
    const event = JSON.parse(text) as EngineEvent;
    return event.type === "operation" || event.type === "lifecycle" ? event : undefined;
  } catch {
    return "garbled";
  }
}
