export interface NetworkAddress {
  readonly family: "inet" | "inet6";
  readonly address: string;
  readonly netmask: string;
  readonly scope: "global" | "link" | "local";
}

/** The state of an interface of a container, or of a network of the engine. */
export interface NetworkState {
  readonly addresses: readonly NetworkAddress[] | null;
  readonly counters?: { readonly bytes_received: number; readonly bytes_sent: number };
  readonly hwaddr: string;
  readonly host_name?: string;
  readonly mtu: number;
  readonly state: "up" | "down";
  readonly type: string;
}
