import type { Event } from "../../contract/tremplin/v1/host_pb.js";
import { ContainerDeletionProgress_Status as Deletion } from "../../contract/tremplin_pb.js";

/** The ports that a container listens on, as far as the host knows. */
export interface ContainerPorts {
  readonly guest: string;
  readonly container: string;
  /** Sorted. Empty when nothing listens, or nothing runs. */
  readonly ports: readonly number[];
}

/** What the events of a host tell of listening ports, put together. */
export class KnownPorts {
  readonly #known = new Map<string, ContainerPorts>();

  /** The containers that run, by guest and name. One that never listened on anything may be missing. */
  get all(): ContainerPorts[] {
    const each = [...this.#known].sort(([one], [other]) => (one < other ? -1 : 1));
    return each.map(([, known]) => known);
  }

  /** Takes an event in. Answers the containers of which it tells something new. */
  hear({ guest, notice }: Event): ContainerPorts[] {
    if (notice.case === "ports") {
      const each = Object.entries(notice.value.containerPorts);
      return each.flatMap(([container, { listeningTcp4Ports: ports }]) =>
        this.#set({ guest, container, ports }),
      );
    }
    const stopped =
      notice.case === "shutdown" || (notice.case === "delete" && notice.value.status === Deletion.DELETED);
    return stopped ? this.#forget(guest, notice.value.containerName) : [];
  }

  /** A notice names those that it says nothing new of too (behaviour.md 6). */
  #set(told: ContainerPorts): ContainerPorts[] {
    const key = keyOf(told.guest, told.container);
    const before = this.#known.get(key)?.ports ?? [];
    // A container that has stopped gets an empty list, which may come after the word of its stop.
    if (told.ports.length === 0 && !this.#known.has(key)) return [];
    this.#known.set(key, told);
    return before.join() === told.ports.join() ? [] : [told];
  }

  #forget(guest: string, container: string): ContainerPorts[] {
    const key = keyOf(guest, container);
    const before = this.#known.get(key)?.ports ?? [];
    this.#known.delete(key);
    return before.length > 0 ? [{ guest, container, ports: [] }] : [];
  }
}

function keyOf(guest: string, container: string): string {
  return `${guest}\n${container}`;
}
