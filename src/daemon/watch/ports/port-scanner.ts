import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { follow, observed } from "../../../base/observed.ts";
import type { CurrentPorts } from "../../connections/current-ports.ts";
import type { Notice } from "../../notices/notice.ts";
import { ContainerPorts } from "./container-ports.ts";
import { PortReader } from "./port-reader.ts";
import type { PortSource } from "./port-source.ts";
import { ReportedPorts } from "./reported-ports.ts";

/** Between two scans. */
const SCAN_INTERVAL_MS = 225;
/** Between two scans while each of the last ones found a change, so that more changes share one notice. */
const BUSY_SCAN_INTERVAL_MS = 275;
const BUSY_AFTER_SCANS = 4;
/** Ports count as changing when this many of the recent scans found a change. */
const CHANGING_SCANS = 4;
const RECENT_SCANS = 16;
/** Scans that wait at most for containers that are about to be added. */
const MAX_SKIPPED_SCANS = 10;

interface Options {
  readonly report: (notice: Notice) => void;
  /** Gets the ports as each scan found them. */
  readonly current?: Pick<CurrentPorts, "set">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Scans the ports of all running containers four times a second and reports changes. Sleeps while there are none. */
export class PortScanner implements AsyncDisposable {
  readonly #options: Options;
  readonly #containers = new Map<string, ContainerPorts>();
  readonly #reader = new PortReader();
  readonly #reported = new ReportedPorts();
  readonly #shutdown = new AbortController();
  #running: Promise<void> | undefined;
  /** A scan is due even if there is no container. */
  #isDue = false;
  #reportsAll = false;
  /** Whether each of the recent scans found a change; the newest first. */
  #recentChanges: readonly boolean[] = [];
  #expected = 0;
  #skippedScans = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The scanned containers, including those that have ended since. */
  get names(): string[] {
    return [...this.#containers.keys()];
  }

  /** Whether ports have changed in many of the recent scans. */
  get areChanging(): boolean {
    return this.#recentChanges.filter(Boolean).length >= CHANGING_SCANS;
  }

  /** Whether the container is scanned and has not been restarted since it was added. */
  has(name: string): boolean {
    return this.#containers.get(name)?.isAlive ?? false;
  }

  /** Adds a running container. Owns the source from now on. */
  add(name: string, source: PortSource): void {
    const container = new ContainerPorts(source, this.#options.log.child({ container: name }));
    // Asking the engine takes time: it may have ended, or a concurrent query may have added it.
    if (this.has(name) || !container.isAlive || this.#shutdown.signal.aborted) {
      container[Symbol.dispose]();
      return;
    }
    this.#containers.get(name)?.[Symbol.dispose]();
    this.#containers.set(name, container);
    this.#wake();
  }

  /** Removes a container that has stopped. Does nothing if it has been started again. */
  remove(name: string): void {
    if (this.has(name)) return;
    this.#containers.get(name)?.[Symbol.dispose]();
    this.#containers.delete(name);
    this.#reported.stopped(name);
    this.#wake();
  }

  /** The next scan reads and reports all ports, changed or not. */
  reportAll(): void {
    this.#reportsAll = true;
    this.#wake();
  }

  /** Announces containers: scans wait for them, at most MAX_SKIPPED_SCANS, until the result is disposed. */
  expect(): Disposable {
    this.#expected++;
    return { [Symbol.dispose]: () => void this.#expected-- };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    await this.#running;
    for (const container of this.#containers.values()) container[Symbol.dispose]();
  }

  #wake(): void {
    this.#isDue = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#shutdown;
    while (this.#isDue || this.#containers.size > 0) {
      const row = this.#recentChanges.slice(0, BUSY_AFTER_SCANS).filter(Boolean).length;
      const period = row === BUSY_AFTER_SCANS ? BUSY_SCAN_INTERVAL_MS : SCAN_INTERVAL_MS;
      await this.#options.clock.sleep(period, signal).catch(() => undefined);
      if (signal.aborted) return;
      await follow(observed.round, { watcher: "ports" }, () => this.#scan(period));
    }
    this.#running = undefined;
  }

  async #scan(elapsed: number): Promise<void> {
    if (this.#expected > 0 && this.#skippedScans++ < MAX_SKIPPED_SCANS) return;
    this.#skippedScans = 0;
    this.#isDue = false;
    const repeat = this.#reportsAll;
    this.#reportsAll = false;
    const containers = [...this.#containers.values()];
    if (repeat) for (const container of containers) await container.read();
    else await this.#reader.readChanged(containers, elapsed);
    const lists = this.#lists();
    this.#options.current?.set(this.#containers, lists);
    const notice = this.#reported.next(lists, repeat);
    this.#recentChanges = [notice !== undefined, ...this.#recentChanges].slice(0, RECENT_SCANS);
    if (notice) this.#options.report(notice);
  }

  #lists(): Map<string, readonly number[]> {
    const lists = new Map<string, readonly number[]>();
    for (const [name, { ports }] of this.#containers) if (ports) lists.set(name, ports);
    return lists;
  }
}
