/** What can be seen of the listening sockets of one running container. Everything throws once it has ended. */
export interface PortSource extends Disposable {
  /**
   * Something that is another whenever a process of the container has run, or somebody made or closed a socket
   * there. While it stays the same, the ports do. Undefined where the kernel does not tell. Costs the least.
   */
  activity(): string | undefined;
  /** How many TCP sockets there are, connections included: another number means that ports may have changed. */
  socketCounts(): SocketCounts;
  /** All ports that these sockets listen on, in pieces of little work each; a port may come more than once. */
  ports(counts: SocketCounts): Iterable<readonly number[]>;
}

export interface SocketCounts {
  readonly tcp: number;
  readonly tcp6: number;
}
