import type { ContainerPorts } from "./container-ports.ts";

/** The part of the time that may go into containers of which it is not certain that their ports changed. */
const DOUBT_SHARE = 0.005;
/** Milliseconds of it that can be saved up, so that doubts after a quiet time are settled at once. */
const MOST_CREDIT = 20;

/**
 * Reads the ports of many containers with as little work as will do. A glance at each tells which have
 * changed for certain: these are read. Where programs ran and there are as many sockets as before, one port
 * may have been closed and another opened: such containers are read too, the one that waited longest first,
 * as far as a small share of the time allows.
 */
export class PortReader {
  #credit = MOST_CREDIT;

  /** Reads those that show signs of a change, `elapsed` milliseconds after the last time. */
  async readChanged(containers: readonly ContainerPorts[], elapsed: number): Promise<void> {
    this.#credit = Math.min(MOST_CREDIT, this.#credit + elapsed * DOUBT_SHARE);
    const doubtful: ContainerPorts[] = [];
    for (const container of containers) {
      const glance = container.glance(elapsed);
      if (glance === "changed") await container.read();
      if (glance === "doubtful") doubtful.push(container);
    }
    doubtful.sort((one, other) => one.readAt - other.readAt);
    for (const container of doubtful) {
      if (this.#credit <= 0) return;
      this.#credit -= await container.read();
    }
  }
}
