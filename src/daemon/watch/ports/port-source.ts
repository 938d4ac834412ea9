/** A view of the listening sockets of one running container. All methods throw once it has ended. */
export interface PortSource extends Disposable {
  /**
   * A value that differs whenever a process of the container has run or a socket was opened or closed. While it
   * is the same, so are the ports. Undefined where the kernel does not report it. The cheapest of the three.
   */
  activity(): string | undefined;
  /** Number of TCP sockets, including connections: a different number means that ports may have changed. */
  socketCounts(): SocketCounts;
  /** All listening ports, in small pieces; a port may appear more than once. */
  ports(counts: SocketCounts): Iterable<readonly number[]>;
  /** Opens the network namespace that the ports are in; undefined where it is the daemon's own. */
  openNetwork(): number | undefined;
}

export interface SocketCounts {
  readonly tcp: number;
  readonly tcp6: number;
}
