import { setImmediate } from "node:timers/promises";
import type { Logger } from "../../../base/logger.ts";
import { hasEnded } from "../../../base/proc/proc-file.ts";
import type { PortSource, SocketCounts } from "./port-source.ts";

/** A container is left alone for this many times the duration of a read: at most 5 % of a core per container. */
const REST_FACTOR = 19;
/** Ports that cannot be read are read again after this. */
const RETRY_DELAY_MS = 5_000;

/** Whether ports have changed: certainly not, possibly, or certainly. */
export type PortChange = "same" | "possible" | "changed";

interface ChangeMarkers {
  readonly activity: string | undefined;
  readonly counts: SocketCounts;
}

/** The listening ports of one running container, read again only where there is a reason to. */
export class ContainerPorts implements Disposable {
  readonly #source: PortSource;
  readonly #log: Logger;
  #ports: readonly number[] | undefined;
  /** Markers as they were before the ports were read. */
  #seen: ChangeMarkers | undefined;
  /** Markers of the last check that found a possible change. */
  #latest: ChangeMarkers | undefined;
  #ended = false;
  #rest = 0;
  #readAt = 0;

  constructor(source: PortSource, log: Logger) {
    this.#source = source;
    this.#log = log;
  }

  /** Sorted and unique; empty once the container has ended; undefined until they were read. */
  get ports(): readonly number[] | undefined {
    return this.#ports;
  }

  /** When the ports were read last, on the monotonic clock. Milliseconds. */
  get readAt(): number {
    return this.#readAt;
  }

  /** As PortSource.openNetwork. Throws once the container has ended. */
  openNetwork(): number | undefined {
    return this.#source.openNetwork();
  }

  /** Whether the container still runs and was not restarted. */
  get isAlive(): boolean {
    if (!this.#ended) this.#try(() => this.#source.socketCounts());
    return !this.#ended;
  }

  /** Checks cheaply whether ports may have changed. `elapsed`: milliseconds since the last check. */
  checkForChange(elapsed: number): PortChange {
    this.#rest -= elapsed;
    this.#latest = undefined;
    if (this.#ended || this.#rest > 0) return "same";
    return this.#try(() => this.#compare()) ?? "same";
  }

  /** Reads all ports; keeps the old ones if that fails. Returns the milliseconds of work it took. */
  async read(): Promise<number> {
    if (this.#ended) return 0;
    this.#readAt = performance.now();
    try {
      // Read before the tables: a change while they are read shows at the next check.
      const signs = this.#latest ?? this.#readMarkers();
      this.#latest = undefined;
      const { ports, work } = await collectPorts(this.#source.ports(signs.counts));
      this.#ports = ports;
      this.#seen = signs;
      this.#rest = work * REST_FACTOR;
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
    this.#latest = { activity, counts };
    return counts.tcp === seen.counts.tcp && counts.tcp6 === seen.counts.tcp6 ? "possible" : "changed";
  }

  #readMarkers(): ChangeMarkers {
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
      this.#rest = RETRY_DELAY_MS;
      this.#log.warn({ error }, "cannot read the listening ports of a container; retrying later");
    }
  }
}

/** After this time the event loop gets its turn. */
const MAX_TURN_MS = 2;

interface Collected {
  /** Sorted and unique. */
  readonly ports: readonly number[];
  /** Milliseconds of work, without the turns of the event loop in between. */
  readonly work: number;
}

/** Collects ports that come in pieces without blocking the event loop, however many there are. */
export async function collectPorts(pieces: Iterable<readonly number[]>): Promise<Collected> {
  const ports = new Set<number>();
  let work = 0;
  // With many containers, each may be too little work to yield.
  await setImmediate();
  let start = performance.now();
  for (const piece of pieces) {
    for (const port of piece) ports.add(port);
    const turn = performance.now() - start;
    if (turn < MAX_TURN_MS) continue;
    // A piece is little work: a longer turn means that other programs had the processor.
    work += Math.min(turn, 2 * MAX_TURN_MS);
    await setImmediate();
    start = performance.now();
  }
  work += Math.min(performance.now() - start, 2 * MAX_TURN_MS);
  return { ports: [...ports].sort((a, b) => a - b), work };
}
