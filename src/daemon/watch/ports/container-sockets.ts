import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { hasEnded, ProcFile, ProcFolder, readProcFile } from "../../../base/proc/proc-file.ts";
import { readSocketTable } from "../../../base/proc/socket-table.ts";
import type { Engine } from "../../../engine/engine.ts";
import { findInitProcess } from "./init-process.ts";
import type { PortSource, SocketCounts } from "./port-source.ts";

/** The control group of a whole container; its own programs may make more groups below it. */
const CONTAINER_GROUP = /^0::(.*?\/lxc\.payload\.[^/\n]+)/m;
/** All sockets, and those of TCP over IPv4; the numbers that follow count the whole machine. */
const USED = /^sockets: used \d+\nTCP: inuse \d+/;
const GROUP_ROOTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/**
 * The sockets of a container's network namespace, read from outside of it. Keeps no file of the namespace open:
 * that would keep the namespace and its devices alive after the container has ended.
 */
export class ContainerSockets implements PortSource {
  readonly #init: ProcFolder;
  readonly #network: ProcFolder;
  readonly #processorTime: ProcFile | undefined;
  readonly #opened: DisposableStack;

  /** `init`: the first process of the container. Owns it from now on. */
  constructor(init: ProcFolder) {
    using opened = new DisposableStack();
    this.#init = opened.use(init);
    this.#network = opened.use(new ProcFolder(init.path("net")));
    this.#processorTime = opened.use(openProcessorTime(init));
    this.#opened = opened.move();
  }

  /** Opens the sockets of a container on this machine; undefined if it does not run. */
  static async open(
    engine: Engine,
    name: string,
    signal: AbortSignal,
  ): Promise<ContainerSockets | undefined> {
    const init = await findInitProcess(engine, name, signal);
    return init && new ContainerSockets(init);
  }

  activity(): string | undefined {
    const sockets = USED.exec(readProcFile(this.#network.path("sockstat")))?.[0];
    return this.#processorTime && `${sockets}\n${this.#processorTime.first()}`;
  }

  socketCounts(): SocketCounts {
    const tcp = inUse(readProcFile(this.#network.path("sockstat")));
    return { tcp, tcp6: inUse(readIfThere(this.#network.path("sockstat6"))) };
  }

  *ports({ tcp, tcp6 }: SocketCounts): Generator<readonly number[]> {
    if (tcp > 0) yield* readSocketTable(this.#network.path("tcp"));
    if (tcp6 > 0) yield* readSocketTable(this.#network.path("tcp6"));
  }

  openNetwork(): number | undefined {
    const opened = openSync(this.#init.path("ns/net"), "r");
    if (fstatSync(opened).ino !== statSync("/proc/self/ns/net").ino) return opened;
    closeSync(opened);
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}

/** The number of TCP sockets, from a file such as /proc/PID/net/sockstat. */
function inUse(text: string): number {
  return Number(/^TCP6?: inuse (\d+)/m.exec(text)?.[1] ?? 0);
}

/** A kernel without IPv6 has no file for it. */
function readIfThere(path: string): string {
  return ifThere(() => readProcFile(path)) ?? "";
}

/** The total processor time of a container; undefined where control groups do not report it. */
function openProcessorTime(init: ProcFolder): ProcFile | undefined {
  const group = CONTAINER_GROUP.exec(readIfThere(init.path("cgroup")))?.[1];
  if (!group) return undefined;
  for (const root of GROUP_ROOTS) {
    const file = ifThere(() => new ProcFile(`${root}${group}/cpu.stat`));
    if (file) return file;
  }
  return undefined;
}

function ifThere<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (hasEnded(error)) return undefined;
    throw error;
  }
}
