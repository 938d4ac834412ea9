import { backoff } from "../../base/async/backoff.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import type { EngineEvent } from "./engine-event.ts";
import { type EventSocket, openEventSocket } from "./event-socket.ts";

export interface EventInterest {
  readonly types: readonly EngineEvent["type"][];
  /** Called when events arrive again after a gap, in which some were missed. */
  readonly reconnected?: () => void;
}

export interface Subscription extends Disposable {
  /**
   * Resolves when every event from then on is delivered. Rejects when the engine cannot be reached now; the stream
   * still tries again and calls `reconnected` on success.
   */
  readonly ready: Promise<void>;
}

interface Subscriber extends EventInterest {
  readonly listener: (event: EngineEvent) => void;
  readonly ready: PromiseWithResolvers<void>;
  isReadyKnown: boolean;
}

/**
 * The events of one engine over one websocket. It connects at the first subscription, and again with back-off (0.1 s
 * to 10 s) whenever the connection breaks, until the engine client is disposed.
 */
export class EventStream implements AsyncDisposable {
  readonly #http: EngineHttp;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #scope: { readonly allProjects: boolean };
  readonly #subscribers = new Set<Subscriber>();
  #socket: EventSocket | undefined;
  #running: Promise<void> | undefined;
  #wakeUp = new AbortController();

  /** Default: the events of the default project and of the engine itself. */
  constructor(http: EngineHttp, clock: Clock, log: Logger, scope = { allProjects: false }) {
    this.#http = http;
    this.#scope = scope;
    this.#clock = clock;
    this.#log = log;
  }

  /** Calls the listener in the order of the events. An error that it throws is logged and has no other effect. */
  subscribe(interest: EventInterest, listener: (event: EngineEvent) => void): Subscription {
    const subscriber = { ...interest, listener, ready: Promise.withResolvers<void>(), isReadyKnown: false };
    subscriber.ready.promise.catch(() => undefined);
    this.#subscribers.add(subscriber);
    if (this.#http.closed.aborted) this.#resolveReady(subscriber, this.#http.closed.reason);
    else if (this.#socket) this.#resolveReady(subscriber);
    else this.#wakeUp.abort();
    this.#running ??= this.#run();
    return {
      ready: subscriber.ready.promise,
      [Symbol.dispose]: () => void this.#subscribers.delete(subscriber),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wakeUp.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let waits = backoff(100, 10_000);
    while (!this.#http.closed.aborted) {
      // Created before the attempt, so that a subscription during a failing attempt ends the sleep after it.
      this.#wakeUp = new AbortController();
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
        for (const subscriber of this.#subscribers)
          if (!subscriber.isReadyKnown) this.#resolveReady(subscriber, error);
      }
      await this.#sleep(waits.next().value);
    }
    for (const subscriber of this.#subscribers) this.#resolveReady(subscriber, this.#http.closed.reason);
  }

  async #serve(socket: EventSocket): Promise<void> {
    this.#socket = socket;
    for (const subscriber of this.#subscribers) {
      if (subscriber.isReadyKnown) this.#callListener(() => subscriber.reconnected?.());
      else this.#resolveReady(subscriber);
    }
    await socket.ended;
    this.#socket = undefined;
    if (!this.#http.closed.aborted) this.#log.info("the engine's event stream was interrupted; reconnecting");
  }

  async #sleep(milliseconds: number): Promise<void> {
    try {
      await this.#clock.sleep(milliseconds, AbortSignal.any([this.#wakeUp.signal, this.#http.closed]));
    } catch (error) {
      if (!this.#wakeUp.signal.aborted && !this.#http.closed.aborted) throw error;
    }
  }

  #resolveReady(subscriber: Subscriber, error?: unknown): void {
    subscriber.isReadyKnown = true;
    if (error === undefined) subscriber.ready.resolve();
    else subscriber.ready.reject(TremplinError.from(error));
  }

  #deliver(event: EngineEvent): void {
    for (const { types, listener } of this.#subscribers) {
      if (types.includes(event.type)) this.#callListener(() => listener(event));
    }
  }

  #callListener(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error({ error }, "a listener of engine events failed");
    }
  }
}
