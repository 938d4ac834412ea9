import type { WebSocket } from "ws";
import type { Clock } from "../../base/async/clock.ts";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { openWebSocket } from "../http/engine-websocket.ts";
import type { EngineEvent } from "./engine-event.ts";

export interface EventSocket {
  /** Resolves, never rejects, when no more events come from it. */
  readonly ended: Promise<void>;
}

/** Milliseconds between two pings; two unanswered ones end the socket. */
const heartbeat = 30_000;

/**
 * One connection of the event stream, from which on every event is delivered: the engine answers the upgrade
 * before it adds its listener, but reads (and so answers our ping) only after.
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
  // A socket that breaks in the middle of a message may never say that it has closed.
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
    // Who watches looks anew after a reconnection: nothing is lost by that.
    if (event === "garbled") stop();
    else if (event) deliver(event);
  });
  socket.resume();
  await firstPong(socket);
  void beat(socket, clock, { ended, stop });
  return { ended };
}

async function firstPong(socket: WebSocket): Promise<void> {
  const late = () => new TremplinError("unavailable", "the engine's event stream does not answer a ping");
  using limit = new TimeLimit(heartbeat, late, []);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("pong", () => resolve());
      socket.once("close", () =>
        reject(new TremplinError("unavailable", "the engine closed its event stream")),
      );
      limit.signal.addEventListener("abort", () => reject(limit.signal.reason));
      socket.ping();
    });
  } catch (error) {
    socket.terminate();
    throw error;
  }
}

async function beat(
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
    await clock.sleep(heartbeat, over.signal).catch(() => undefined);
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
