import { randomUUID } from "node:crypto";
import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineEvent } from "../../../engine/events/engine-event.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { instanceOf } from "../../../engine/operations/operation.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import type { Notice } from "../../notices/notice.ts";
import type { NoticeQueue } from "../../notices/notice-queue.ts";
import { PortScanner } from "./port-scanner.ts";
import type { PortSource } from "./port-source.ts";
import { mergeCleared } from "./reported-ports.ts";

/** Everything is looked at and told again after so long. Milliseconds (behaviour.md 2.4). */
const REFRESH = 60_000;
/** These notices go one behind the other and wait for no others: no container has such a name. */
const LANE = "listening ports";

interface Options {
  readonly outbox: Pick<NoticeQueue, "send">;
  /** Containers that nobody outside hears of. */
  readonly isHidden: (name: string) => boolean;
  /** Where the sockets of a container are seen; undefined when it does not run. */
  readonly open: (engine: Engine, name: string, signal: AbortSignal) => Promise<PortSource | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Tells the host which TCP ports of the running containers are reached over their loopback, within 300 ms of
 * each change, whoever made it (behaviour.md 7.3, 12 items 74, 75). Sees containers on this machine only.
 */
export class ListeningPorts implements AsyncDisposable {
  readonly #options: Options;
  readonly #rounds: PortScanner;
  #watching = new AbortController();
  #refreshing: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
    this.#rounds = new PortScanner({ ...options, tell: (notice) => this.#tell(notice) });
  }

  /** Watches the containers of an engine, also those that run already. */
  watch(engine: Engine): void {
    this.#watching.abort();
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    if (engine.address.kind !== "unix") {
      this.#options.log.info("the engine is on another machine: no listening ports are told");
      return;
    }
    const interest = {
      types: ["lifecycle"] as const,
      reconnected: () => void this.#refresh(engine, signal),
    };
    const subscription = engine.events.subscribe(interest, (event) => this.#hear(engine, event, signal));
    signal.addEventListener("abort", () => subscription[Symbol.dispose]());
    const previous = this.#refreshing;
    this.#refreshing = previous.then(() => this.#keepRefreshing(engine, signal));
  }

  /** A container has stopped. Its ports are cleared at the host, also if it stopped while no daemon was there. */
  stopped(name: string): void {
    this.#rounds.leave(name);
  }

  /** Whether ports are opened and closed all the time. */
  get areChanging(): boolean {
    return this.#rounds.areChanging;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching.abort();
    await this.#refreshing;
    await this.#rounds[Symbol.asyncDispose]();
  }

  #hear(engine: Engine, event: EngineEvent, signal: AbortSignal): void {
    if (event.type !== "lifecycle") return;
    const { action, source } = event.metadata;
    const name = instanceOf(source);
    if (name && (action === "instance-started" || action === "instance-restarted"))
      void this.#look(engine, name, signal);
  }

  async #keepRefreshing(engine: Engine, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#refresh(engine, signal);
      await this.#options.clock.sleep(REFRESH, signal).catch(() => undefined);
    }
  }

  /** Finds out who runs, whatever events were missed, and has everything told again. */
  async #refresh(engine: Engine, signal: AbortSignal): Promise<void> {
    try {
      const running = (await engine.instances.list({ signal })).filter((each) => this.#isSeen(engine, each));
      const names = new Set(running.map(({ name }) => name));
      for (const name of this.#rounds.names) if (!names.has(name)) this.#rounds.leave(name);
      await Promise.all([...names].map((name) => this.#find(engine, name, signal)));
    } catch (error) {
      this.#warn(error, signal, "which containers run could not be learnt");
    }
    this.#rounds.repeat();
  }

  /** Of a container that is said to run now. */
  async #look(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
    using _ = this.#rounds.expect();
    try {
      const instance = await engine.instances.get(name, { signal }).catch(ifMissing);
      if (instance && this.#isSeen(engine, instance.value)) await this.#find(engine, name, signal);
    } catch (error) {
      this.#warn(error, signal, `it is not known whether ${name} runs`);
    }
  }

  async #find(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
    if (this.#rounds.has(name)) return;
    using _ = this.#rounds.expect();
    try {
      const source = await this.#options.open(engine, name, signal);
      if (source) this.#rounds.enter(name, source);
    } catch (error) {
      this.#warn(error, signal, `the listening ports of ${name} cannot be seen`);
    }
  }

  /** Whether it may run, and where its processes can be seen. */
  #isSeen(engine: Engine, { name, type, status_code, location }: Instance): boolean {
    const { clustered, serverName } = engine.info;
    const isHere = !clustered || location === serverName;
    const mayRun = status_code !== instanceStatus.stopped;
    return type === "container" && isHere && mayRun && !this.#options.isHidden(name);
  }

  /** What fails now is tried again at the next refresh. */
  #warn(error: unknown, signal: AbortSignal, sentence: string): void {
    if (!signal.aborted) this.#options.log.warn({ error }, `${sentence}; trying again within a minute`);
  }

  #tell(notice: Notice): void {
    this.#options.outbox.send({
      id: randomUUID(),
      orderingKey: LANE,
      notice,
      final: false,
      coalesceInto: (newer, own) => mergeCleared(own, newer),
    });
  }
}
