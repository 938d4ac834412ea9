import type { Clock } from "../../base/async/clock.ts";
import { readProcFile } from "../../base/proc/proc-file.ts";
import { readSocketTable } from "../../base/proc/socket-table.ts";

/** A program that is started again listens again by then. */
const KEPT_MS = 60_000;
const LOOK_MS = 5_000;

interface Options {
  readonly clock: Clock;
  /** The ports that are open for containers, which are no program's. */
  readonly forwarded: () => readonly number[];
  /** Default: what the kernel says. */
  readonly listening?: () => Iterable<number>;
}

/** The ports that programs of this machine listen on, or did until just now: one that is started again finds its port free. */
export class HostPrograms implements AsyncDisposable {
  readonly #options: Options;
  /** When a program was seen on each port, by the clock. */
  readonly #seen = new Map<number, number>();
  readonly #shutdown = new AbortController();
  readonly #looking: Promise<void>;

  constructor(options: Options) {
    this.#options = options;
    this.#looking = this.#lookOften();
  }

  /** A program has a port now. */
  note(port: number): void {
    this.#seen.set(port, this.#options.clock.elapsed());
  }

  /** Whether a port is for a program that used it within the last minute. */
  keeps(port: number): boolean {
    const seen = this.#seen.get(port);
    return seen !== undefined && this.#options.clock.elapsed() - seen < KEPT_MS;
  }

  /** Looks which ports programs have now. */
  look(): void {
    const { clock, forwarded, listening = portsOfServices } = this.#options;
    const own = new Set(forwarded());
    for (const port of listening()) if (!own.has(port)) this.note(port);
    const oldest = clock.elapsed() - KEPT_MS;
    for (const [port, seen] of this.#seen) if (seen <= oldest) this.#seen.delete(port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    await this.#looking;
  }

  async #lookOften(): Promise<void> {
    const { signal } = this.#shutdown;
    while (!signal.aborted) {
      await this.#options.clock.sleep(LOOK_MS, signal).catch(() => undefined);
      this.look();
    }
  }
}

/** Without those that the kernel gives to whoever asks for any port: a program that is started again gets another one. */
function* portsOfServices(): Generator<number, void, void> {
  const [first, last] = randomPorts();
  for (const file of ["tcp", "tcp6"]) {
    for (const port of portsIn(`/proc/self/net/${file}`)) if (port < first || port > last) yield port;
  }
}

function portsIn(table: string): number[] {
  try {
    return [...readSocketTable(table)].flat();
  } catch {
    // A machine without IPv6 has one table.
    return [];
  }
}

/** The first and the last. */
function randomPorts(): readonly [number, number] {
  try {
    const [first = Number.NaN, last = Number.NaN] = readProcFile("/proc/sys/net/ipv4/ip_local_port_range")
      .split(/\s+/)
      .map(Number);
    if (first <= last) return [first, last];
  } catch {
    // The kernel's default.
  }
  return [32_768, 60_999];
}
