import { randomUUID } from "node:crypto";
import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { EngineEvent } from "../../../engine/events/engine-event.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { instanceOf } from "../../../engine/operations/operation-record.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import type { CurrentPorts } from "../../connections/current-ports.ts";
import type { Notice } from "../../notices/notice.ts";
import type { NoticeQueue } from "../../notices/notice-queue.ts";
import { PortScanner } from "./port-scanner.ts";
import type { PortSource } from "./port-source.ts";
import { mergeCleared } from "./reported-ports.ts";

/** All ports are read and reported again this often (docs/contract.md#limits-and-intervals). */
const REFRESH_INTERVAL_MS = 60_000;
/** Orders these notices among themselves only: no container can have this name. */
const ORDERING_KEY = "listening ports";

interface Options {
  readonly queue: Pick<NoticeQueue, "send">;
  /** Containers that are never reported to the host. */
  readonly isHidden: (name: string) => boolean;
  /** Opens the view of a container's sockets; undefined if it does not run. */
  readonly open: (engine: Engine, name: string, signal: AbortSignal) => Promise<PortSource | undefined>;
  /** Is kept up to date, for connections to the ports. */
  readonly current?: Pick<CurrentPorts, "set">;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Reports to the host which TCP ports of the running containers can be reached over their loopback, within
 * 300 ms of each change (docs/contract.md#listening-ports). Sees containers on this machine only.
 */
export class ListeningPorts implements AsyncDisposable {
  readonly #options: Options;
  readonly #scanner: PortScanner;
  #watching = new AbortController();
  #refreshing: Promise<void> = Promise.resolve();

  constructor(options: Options) {
    this.#options = options;
    this.#scanner = new PortScanner({ ...options, report: (notice) => this.#report(notice) });
  }

  /** Watches the containers of an engine, including those that already run. */
  watch(engine: Engine): void {
    this.#watching.abort();
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    if (engine.address.kind !== "unix") {
      this.#options.log.info("the engine is on another machine: cannot report listening ports");
      return;
    }
    const interest = {
      types: ["lifecycle"] as const,
      reconnected: () => void this.#refresh(engine, signal),
    };
    const subscription = engine.events.subscribe(interest, (event) => this.#onEvent(engine, event, signal));
    signal.addEventListener("abort", () => subscription[Symbol.dispose]());
    const previous = this.#refreshing;
    this.#refreshing = previous.then(() => this.#keepRefreshing(engine, signal));
  }

  /** A container has stopped, perhaps while no daemon ran: clears its ports at the host. */
  stopped(name: string): void {
    this.#scanner.remove(name);
  }

  /** Whether ports have changed in many of the recent scans. */
  get areChanging(): boolean {
    return this.#scanner.areChanging;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching.abort();
    await this.#refreshing;
    await this.#scanner[Symbol.asyncDispose]();
  }

  #onEvent(engine: Engine, event: EngineEvent, signal: AbortSignal): void {
    if (event.type !== "lifecycle") return;
    const { action, source } = event.metadata;
    const name = instanceOf(source);
    if (name && (action === "instance-started" || action === "instance-restarted"))
      void this.#addStarted(engine, name, signal);
  }

  async #keepRefreshing(engine: Engine, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#refresh(engine, signal);
      await this.#options.clock.sleep(REFRESH_INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  /** Lists the running containers, whatever events were missed, and reports all ports. */
  async #refresh(engine: Engine, signal: AbortSignal): Promise<void> {
    try {
      const running = (await engine.instances.list({ signal })).filter((each) =>
        this.#isVisible(engine, each),
      );
      const names = new Set(running.map(({ name }) => name));
      for (const name of this.#scanner.names) if (!names.has(name)) this.#scanner.remove(name);
      await Promise.all([...names].map((name) => this.#add(engine, name, signal)));
    } catch (error) {
      this.#warn(error, signal, "cannot list the running containers");
    }
    this.#scanner.reportAll();
  }

  async #addStarted(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
    using _ = this.#scanner.expect();
    try {
      const instance = await engine.instances.get(name, { signal }).catch(ifMissing);
      if (instance && this.#isVisible(engine, instance.value)) await this.#add(engine, name, signal);
    } catch (error) {
      this.#warn(error, signal, `cannot read whether ${name} runs`);
    }
  }

  async #add(engine: Engine, name: string, signal: AbortSignal): Promise<void> {
    if (this.#scanner.has(name)) return;
    using _ = this.#scanner.expect();
    try {
      const source = await this.#options.open(engine, name, signal);
      if (source) this.#scanner.add(name, source);
    } catch (error) {
      this.#warn(error, signal, `cannot open the listening ports of ${name}`);
    }
  }

  /** Whether it may run on this machine, where its processes are visible. */
  #isVisible(engine: Engine, { name, type, status_code, location }: Instance): boolean {
    const { clustered, serverName } = engine.info;
    const isHere = !clustered || location === serverName;
    const mayRun = status_code !== instanceStatus.stopped;
    return type === "container" && isHere && mayRun && !this.#options.isHidden(name);
  }

  #warn(error: unknown, signal: AbortSignal, sentence: string): void {
    if (!signal.aborted) this.#options.log.warn({ error }, `${sentence}; retrying within a minute`);
  }

  #report(notice: Notice): void {
    this.#options.queue.send({
      id: randomUUID(),
      orderingKey: ORDERING_KEY,
      notice,
      final: false,
      coalesceInto: (newer, own) => mergeCleared(own, newer),
    });
  }
}
