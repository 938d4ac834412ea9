import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import type { EngineEvent } from "./engine-event.ts";
import { type EventSocket, openEventSocket } from "./event-socket.ts";

export interface EventInterest {
  readonly types: readonly EngineEvent["type"][];
  /** Called when events flow again after a gap: re-read what you watch. */
  readonly reconnected?: () => void;
}

export interface Subscription extends Disposable {
  /**
   * Resolves when every event from now on is delivered. Rejects when the engine cannot be reached right now;
   * the stream goes on trying, and `reconnected` tells when it succeeded.
   */
  readonly ready: Promise<void>;
}

interface Subscriber extends EventInterest {
  readonly listener: (event: EngineEvent) => void;
  readonly ready: PromiseWithResolvers<void>;
  told: boolean;
}

/**
 * The events of one engine over one websocket, opened at first use and opened again with back-off (0.1 s to
 * 10 s) whenever it breaks, until the engine client is disposed.
 */
export class EventStream implements AsyncDisposable {
  readonly #http: EngineHttp;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #scope: { readonly allProjects: boolean };
  readonly #subscribers = new Set<Subscriber>();
  #socket: EventSocket | undefined;
  #running: Promise<void> | undefined;
  #waking = new AbortController();

  /** Of the default project and of the engine itself, unless of all projects. */
  constructor(http: EngineHttp, clock: Clock, log: Logger, scope = { allProjects: false }) {
    this.#http = http;
    this.#scope = scope;
    this.#clock = clock;
    this.#log = log;
  }

  /** The listener is called in the order of the events; what it throws is logged and stops nothing. */
  subscribe(interest: EventInterest, listener: (event: EngineEvent) => void): Subscription {
    const subscriber = { ...interest, listener, ready: Promise.withResolvers<void>(), told: false };
    subscriber.ready.promise.catch(() => undefined);
    this.#subscribers.add(subscriber);
    if (this.#http.closed.aborted) this.#tell(subscriber, this.#http.closed.reason);
    else if (this.#socket) this.#tell(subscriber);
    else this.#waking.abort();
    this.#running ??= this.#run();
    return {
      ready: subscriber.ready.promise,
      [Symbol.dispose]: () => void this.#subscribers.delete(subscriber),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waking.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let waits = backoff(100, 10_000);
    while (!this.#http.closed.aborted) {
      // Renewed before the attempt: who subscribes while it fails wakes the sleep behind it.
      this.#waking = new AbortController();
      try {
        const socket = await openEventSocket(
          this.#http,
          this.#clock,
          (event) => this.#deliver(event),
          this.#scope,
        );
        waits = backoff(100, 10_000);
        await this.#serve(socket);
      } catch (error) {
        this.#log.debug({ error }, `engine events: ${errorMessage(error)}`);
        for (const subscriber of this.#subscribers) if (!subscriber.told) this.#tell(subscriber, error);
      }
      await this.#sleep(waits.next().value);
    }
    for (const subscriber of this.#subscribers) this.#tell(subscriber, this.#http.closed.reason);
  }

  async #serve(socket: EventSocket): Promise<void> {
    this.#socket = socket;
    for (const subscriber of this.#subscribers) {
      if (subscriber.told) this.#guard(() => subscriber.reconnected?.());
      else this.#tell(subscriber);
    }
    await socket.ended;
    this.#socket = undefined;
    if (!this.#http.closed.aborted) this.#log.info("the engine's event stream broke; connecting again");
  }

  async #sleep(milliseconds: number): Promise<void> {
    try {
      await this.#clock.sleep(milliseconds, AbortSignal.any([this.#waking.signal, this.#http.closed]));
    } catch (error) {
      if (!this.#waking.signal.aborted && !this.#http.closed.aborted) throw error;
    }
  }

  #tell(subscriber: Subscriber, error?: unknown): void {
    subscriber.told = true;
    if (error === undefined) subscriber.ready.resolve();
    else subscriber.ready.reject(TremplinError.from(error));
  }

  #deliver(event: EngineEvent): void {
    for (const { types, listener } of this.#subscribers) {
      if (types.includes(event.type)) this.#guard(() => listener(event));
    }
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error({ error }, "a listener of engine events failed");
    }
  }
}
