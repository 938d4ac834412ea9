import type { Logger } from "../../../base/logger.ts";
import { collectPorts } from "./collect-ports.ts";
import type { PortSource, SocketCounts } from "./port-source.ts";
import { hasEnded } from "./proc-file.ts";

/** They rest this many times as long as reading them took: at most 5 % of a core goes into one container. */
const REST = 19;
/** What cannot be read is tried again after this. Milliseconds. */
const PATIENCE = 5_000;

/** What a glance at a container says: nothing can have changed, something may have, or something has. */
export type PortChange = "same" | "doubtful" | "changed";

interface Signs {
  readonly activity: string | undefined;
  readonly counts: SocketCounts;
}

/** The listening ports of one running container, read again only where there is a reason to. */
export class ContainerPorts implements Disposable {
  readonly #source: PortSource;
  readonly #log: Logger;
  #ports: readonly number[] | undefined;
  /** As they were before the ports were read. */
  #seen: Signs | undefined;
  /** As they were at the last glance that found something. */
  #glanced: Signs | undefined;
  #ended = false;
  #rest = 0;
  #readAt = 0;

  constructor(source: PortSource, log: Logger) {
    this.#source = source;
    this.#log = log;
  }

  /** Sorted, each once; none once the container has ended; undefined as long as they were not read. */
  get ports(): readonly number[] | undefined {
    return this.#ports;
  }

  /** When they were read last, for comparing. */
  get readAt(): number {
    return this.#readAt;
  }

  /** Whether this very run of the container goes on. */
  get isAlive(): boolean {
    if (!this.#ended) this.#try(() => this.#source.socketCounts());
    return !this.#ended;
  }

  /** Looks for signs of a change, which costs next to nothing. `elapsed`: milliseconds since the last glance. */
  glance(elapsed: number): PortChange {
    this.#rest -= elapsed;
    this.#glanced = undefined;
    if (this.#ended || this.#rest > 0) return "same";
    return this.#try(() => this.#compare()) ?? "same";
  }

  /** Reads them all; what fails leaves them as they were. Answers how many milliseconds of work it was. */
  async read(): Promise<number> {
    if (this.#ended) return 0;
    this.#readAt = performance.now();
    try {
      // Before the tables: what changes while they are read shows at the next glance.
      const signs = this.#glanced ?? this.#look();
      this.#glanced = undefined;
      const { ports, work } = await collectPorts(this.#source.ports(signs.counts));
      this.#ports = ports;
      this.#seen = signs;
      this.#rest = work * REST;
      return work;
    } catch (error) {
      this.#fail(error);
      return 0;
    }
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#source[Symbol.dispose]();
  }

  #compare(): PortChange {
    const seen = this.#seen;
    if (!seen) return "changed";
    const activity = this.#source.activity();
    if (activity !== undefined && activity === seen.activity) return "same";
    const counts = this.#source.socketCounts();
    this.#glanced = { activity, counts };
    return counts.tcp === seen.counts.tcp && counts.tcp6 === seen.counts.tcp6 ? "doubtful" : "changed";
  }

  #look(): Signs {
    return { activity: this.#source.activity(), counts: this.#source.socketCounts() };
  }

  #try<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (hasEnded(error)) {
      this.#ended = true;
      this.#ports = [];
    } else {
      this.#rest = PATIENCE;
      this.#log.warn({ error }, "its listening ports cannot be read; trying again later");
    }
  }
}
