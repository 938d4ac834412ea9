import type { ContainerPorts } from "./container-ports.ts";

/** Share of the time that may be spent on containers whose ports have only possibly changed. */
const RECHECK_TIME_SHARE = 0.005;
/** This much unused time is saved up, so that possible changes after a quiet time are read at once. */
const MAX_CREDIT_MS = 20;

/**
 * Reads the ports of many containers with little work. Containers whose ports have certainly changed are read
 * at once. Where programs ran but the number of sockets is the same, one port may have been closed and another
 * opened: these are read within a small share of the time, the one that waited longest first.
 */
export class PortReader {
  #credit = MAX_CREDIT_MS;

  /** Reads the containers that may have changed; `elapsed`: milliseconds since the last call. */
  async readChanged(containers: readonly ContainerPorts[], elapsed: number): Promise<void> {
    this.#credit = Math.min(MAX_CREDIT_MS, this.#credit + elapsed * RECHECK_TIME_SHARE);
    const possible: ContainerPorts[] = [];
    for (const container of containers) {
      const change = container.checkForChange(elapsed);
      if (change === "changed") await container.read();
      if (change === "possible") possible.push(container);
    }
    possible.sort((one, other) => one.readAt - other.readAt);
    for (const container of possible) {
      if (this.#credit <= 0) return;
      this.#credit -= await container.read();
    }
  }
}
