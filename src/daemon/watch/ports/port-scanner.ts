import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Notice } from "../../notices/notice.ts";
import { ContainerPorts } from "./container-ports.ts";
import { PortReader } from "./port-reader.ts";
import type { PortSource } from "./port-source.ts";
import { ReportedPorts } from "./reported-ports.ts";

/** Between two rounds. Milliseconds. */
const PERIOD = 225;
/** Between two rounds after so many in a row that had something to tell: more changes are told together. Milliseconds. */
const PERIOD_IN_A_ROW = 275;
const IN_A_ROW = 4;
/** Ports change all the time when so many of the last rounds had something to tell. */
const ALL_THE_TIME = 4;
const LAST_ROUNDS = 16;
/** So many rounds are left out while somebody says that more containers are about to enter. */
const PATIENCE = 10;

interface Options {
  readonly tell: (notice: Notice) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Looks at the ports of all running containers four times a second, and tells what has changed. Sleeps while
 * there is no container.
 */
export class PortScanner implements AsyncDisposable {
  readonly #options: Options;
  readonly #containers = new Map<string, ContainerPorts>();
  readonly #reader = new PortReader();
  readonly #told = new ReportedPorts();
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  /** A round is due even if there is no container. */
  #due = false;
  #repeat = false;
  /** Of the last rounds, the newest first: whether it had something to tell. */
  #hadNews: readonly boolean[] = [];
  #expected = 0;
  #leftOut = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The containers that are looked at, those that have ended since too. */
  get names(): string[] {
    return [...this.#containers.keys()];
  }

  /** Whether ports are opened and closed all the time. */
  get areChanging(): boolean {
    return this.#hadNews.filter(Boolean).length >= ALL_THE_TIME;
  }

  /** Whether the container is looked at, in the very run that it entered with. */
  has(name: string): boolean {
    return this.#containers.get(name)?.isAlive ?? false;
  }

  /** A container runs. Takes over the source. */
  enter(name: string, source: PortSource): void {
    const container = new ContainerPorts(source, this.#options.log.child({ container: name }));
    // Asking the engine takes time: it may have ended, or have been found by another question.
    if (this.has(name) || !container.isAlive || this.#ending.signal.aborted) {
      container[Symbol.dispose]();
      return;
    }
    this.#containers.get(name)?.[Symbol.dispose]();
    this.#containers.set(name, container);
    this.#wake();
  }

  /** A container runs no more. Does nothing if it was started again since. */
  leave(name: string): void {
    if (this.has(name)) return;
    this.#containers.get(name)?.[Symbol.dispose]();
    this.#containers.delete(name);
    this.#told.stopped(name);
    this.#wake();
  }

  /** The next round reads everything and tells it, changed or not. */
  repeat(): void {
    this.#repeat = true;
    this.#wake();
  }

  /** Containers are about to enter: rounds wait for them until this is disposed, though not for long. */
  expect(): Disposable {
    this.#expected++;
    return { [Symbol.dispose]: () => void this.#expected-- };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
    for (const container of this.#containers.values()) container[Symbol.dispose]();
  }

  #wake(): void {
    this.#due = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (this.#due || this.#containers.size > 0) {
      const row = this.#hadNews.slice(0, IN_A_ROW).filter(Boolean).length;
      const period = row === IN_A_ROW ? PERIOD_IN_A_ROW : PERIOD;
      await this.#options.clock.sleep(period, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#round(period);
    }
    this.#running = undefined;
  }

  async #round(elapsed: number): Promise<void> {
    if (this.#expected > 0 && this.#leftOut++ < PATIENCE) return;
    this.#leftOut = 0;
    this.#due = false;
    const repeat = this.#repeat;
    this.#repeat = false;
    const containers = [...this.#containers.values()];
    if (repeat) for (const container of containers) await container.read();
    else await this.#reader.readChanged(containers, elapsed);
    const notice = this.#told.next(this.#lists(), repeat);
    this.#hadNews = [notice !== undefined, ...this.#hadNews].slice(0, LAST_ROUNDS);
    if (notice) this.#options.tell(notice);
  }

  #lists(): Map<string, readonly number[]> {
    const lists = new Map<string, readonly number[]>();
    for (const [name, { ports }] of this.#containers) if (ports) lists.set(name, ports);
    return lists;
  }
}
