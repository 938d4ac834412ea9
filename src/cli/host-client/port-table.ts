import type { Event } from "../../contract/tremplin/v1/host_pb.js";
import { ContainerDeletionProgress_Status as Deletion } from "../../contract/tremplin_pb.js";

/** The ports that a container listens on. */
export interface ContainerPorts {
  readonly guest: string;
  readonly container: string;
  /** Sorted. Empty when nothing listens, or the container is stopped. */
  readonly ports: readonly number[];
}

/** The listening ports of all containers, built from the events of a host. */
export class PortTable {
  readonly #entries = new Map<string, ContainerPorts>();

  /** The running containers, by guest and name. One that never listened on a port may be missing. */
  get all(): ContainerPorts[] {
    const entries = [...this.#entries].sort(([one], [other]) => (one < other ? -1 : 1));
    return entries.map(([, entry]) => entry);
  }

  /** Applies an event. Returns the containers whose ports changed. */
  update({ guest, notice }: Event): ContainerPorts[] {
    if (notice.case === "ports") {
      const each = Object.entries(notice.value.containerPorts);
      return each.flatMap(([container, { listeningTcp4Ports: ports }]) =>
        this.#set({ guest, container, ports }),
      );
    }
    const stopped =
      notice.case === "shutdown" || (notice.case === "delete" && notice.value.status === Deletion.DELETED);
    return stopped ? this.#remove(guest, notice.value.containerName) : [];
  }

  /** A notice also contains containers whose ports did not change (docs/contract.md#updatelisteningports). */
  #set(entry: ContainerPorts): ContainerPorts[] {
    const key = keyOf(entry.guest, entry.container);
    const before = this.#entries.get(key)?.ports ?? [];
    // The empty list of a stopped container may arrive after the notice that it stopped.
    if (entry.ports.length === 0 && !this.#entries.has(key)) return [];
    this.#entries.set(key, entry);
    return before.join() === entry.ports.join() ? [] : [entry];
  }

  #remove(guest: string, container: string): ContainerPorts[] {
    const key = keyOf(guest, container);
    const before = this.#entries.get(key)?.ports ?? [];
    this.#entries.delete(key);
    return before.length > 0 ? [{ guest, container, ports: [] }] : [];
  }
}

function keyOf(guest: string, container: string): string {
  return `${guest}\n${container}`;
}
