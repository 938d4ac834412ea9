import { type Notice, type NoticeInit, notice } from "../../notices/notice.ts";

type Lists = ReadonlyMap<string, readonly number[]>;

/**
 * What the host was told of listening ports, and so what it must be told next. A container that a notice does
 * not name keeps its ports at the host: to clear them, an empty list must be sent (behaviour.md 6).
 */
export class ReportedPorts {
  #told: Lists = new Map();
  readonly #stopped = new Set<string>();

  /** A container runs no more: an empty list is told once, unless that is what was told last. */
  stopped(container: string): void {
    if (this.#told.get(container)?.length !== 0) this.#stopped.add(container);
  }

  /**
   * What to tell when these are the ports of all running containers; undefined when all of it was told
   * already. With `again`, what was told already is told again.
   */
  next(running: Lists, again: boolean): Notice | undefined {
    const isNew = [...running].some(([name, ports]) => !sameList(ports, this.#told.get(name)));
    const stopped = [...this.#stopped].filter((name) => !running.has(name));
    if (!isNew && stopped.length === 0 && !(again && running.size > 0)) return undefined;
    this.#told = new Map([...running, ...stopped.map((name) => [name, []] as const)]);
    this.#stopped.clear();
    return portsNotice(this.#told);
  }
}

/** The newer notice with what only the older one clears: a host that gets the one needs not get the other. */
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

function listsOf(told: Notice): NonNullable<NoticeInit<"updateListeningPorts">["containerPorts"]> {
  return (told as Notice<"updateListeningPorts">).message.containerPorts;
}

function sameList(one: readonly number[], other: readonly number[] | undefined): boolean {
  if (one === other) return true;
  return one.length === other?.length && one.every((port, index) => port === other[index]);
}
