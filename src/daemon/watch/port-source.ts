/** What can be seen of the listening sockets of one running container. Everything throws once it has ended. */
export interface PortSource extends Disposable {
  /**
   * Something that is another whenever a process of the container has run; undefined where the kernel does
   * not tell. While it stays the same, nobody in the container can have closed one port and opened another.
   */
  processorTime(): string | undefined;
  /** How many TCP sockets there are, connections included. */
  socketCounts(): SocketCounts;
  /** All ports that these sockets listen on, in pieces of little work each; a port may come more than once. */
  ports(counts: SocketCounts): Iterable<readonly number[]>;
}

export interface SocketCounts {
  readonly tcp: number;
  readonly tcp6: number;
}
