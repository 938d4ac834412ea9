import { type Notice, type NoticeInit, notice } from "../../notices/notice.ts";

type Lists = ReadonlyMap<string, readonly number[]>;

/**
 * The ports that the host knows, and so the next notice. A container that a notice does not name keeps its
 * ports at the host: an empty list clears them (docs/contract.md#updatelisteningports).
 */
export class ReportedPorts {
  #reported: Lists = new Map();
  readonly #stopped = new Set<string>();

  /** A container has stopped: its ports are cleared once, unless the host knows of none. */
  stopped(container: string): void {
    if (this.#reported.get(container)?.length !== 0) this.#stopped.add(container);
  }

  /** The next notice, given the ports of all running containers; undefined if nothing changed and not `always`. */
  next(running: Lists, always: boolean): Notice | undefined {
    const isNew = [...running].some(([name, ports]) => !sameList(ports, this.#reported.get(name)));
    const stopped = [...this.#stopped].filter((name) => !running.has(name));
    if (!isNew && stopped.length === 0 && !(always && running.size > 0)) return undefined;
    this.#reported = new Map([...running, ...stopped.map((name) => [name, []] as const)]);
    this.#stopped.clear();
    return portsNotice(this.#reported);
  }
}

/** The newer notice, which also clears what only the older one cleared: it replaces the older one in the queue. */
export function mergeCleared(older: Notice, newer: Notice): Notice {
  const cleared = Object.keys(listsOf(older)).map((name) => [name, { listeningTcp4Ports: [] }]);
  return notice("updateListeningPorts", {
    containerPorts: { ...Object.fromEntries(cleared), ...listsOf(newer) },
  });
}

function portsNotice(lists: Lists): Notice {
  const each = [...lists].map(([name, ports]) => [name, { listeningTcp4Ports: [...ports] }]);
  return notice("updateListeningPorts", { containerPorts: Object.fromEntries(each) });
}

function listsOf(notice: Notice): NonNullable<NoticeInit<"updateListeningPorts">["containerPorts"]> {
  return (notice as Notice<"updateListeningPorts">).message.containerPorts;
}

function sameList(one: readonly number[], other: readonly number[] | undefined): boolean {
  if (one === other) return true;
  return one.length === other?.length && one.every((port, index) => port === other[index]);
}
