import { closeSync } from "node:fs";
import { untilAborted } from "../../base/async/until-aborted.ts";
import { isForwardable } from "../../base/forwardable-port.ts";

/** A running container whose network the daemon can enter. */
export interface ContainerNetwork {
  /** A descriptor of its network namespace; undefined where that is the daemon's own. Throws once it has ended. */
  openNetwork(): number | undefined;
}

/** The forwardable ports of each running container. */
export type PortLists = ReadonlyMap<string, readonly number[]>;

interface Entry {
  readonly network: ContainerNetwork;
  /** As they were scanned. */
  readonly all: readonly number[];
  readonly ports: readonly number[];
}

/** The ports that the running containers listen on now, as the scans find them. */
export class CurrentPorts {
  #entries: ReadonlyMap<string, Entry> = new Map();
  #changed = new AbortController();

  /** The result of a scan. A container without a list has not been read yet. */
  set(containers: ReadonlyMap<string, ContainerNetwork>, lists: PortLists): void {
    const entries = new Map<string, Entry>();
    for (const [name, ports] of lists) {
      const network = containers.get(name);
      if (network) entries.set(name, this.#entryOf(name, network, ports));
    }
    const before = [...this.#entries.values()];
    const isSame =
      entries.size === before.length && [...entries.values()].every((each, index) => each === before[index]);
    if (isSame) return;
    this.#entries = entries;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** The network of a container that listens on a port; undefined if it does not. */
  find(container: string, port: number): ContainerNetwork | undefined {
    const entry = this.#entries.get(container);
    return entry?.ports.includes(port) ? entry.network : undefined;
  }

  /** The ports now, and again after each change. Changes while the consumer is busy are skipped. */
  async *watch(signal: AbortSignal): AsyncGenerator<PortLists, void, void> {
    while (!signal.aborted) {
      const changed = this.#changed.signal;
      yield new Map([...this.#entries].map(([name, { ports }]) => [name, ports]));
      await untilAborted(AbortSignal.any([changed, signal]));
    }
  }

  /** The entry as it was, if nothing about it has changed. */
  #entryOf(name: string, network: ContainerNetwork, all: readonly number[]): Entry {
    const before = this.#entries.get(name);
    if (before?.network === network && isSameList(before.all, all)) return before;
    return { network, all, ports: isApart(network) ? all.filter(isForwardable) : [] };
  }
}

function isSameList(one: readonly number[], other: readonly number[]): boolean {
  return one === other || (one.length === other.length && one.every((port, index) => port === other[index]));
}

/** The ports of a container without a network of its own are those of the guest, which nobody may connect to. */
function isApart(network: ContainerNetwork): boolean {
  try {
    const opened = network.openNetwork();
    if (opened === undefined) return false;
    closeSync(opened);
    return true;
  } catch {
    // It has ended: the next scan finds that out.
    return false;
  }
}
