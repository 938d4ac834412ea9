import { type Subnet, toNumber, toText } from "../../supervisor/network/subnet.ts";

/** A packet that must pass for a container to have a network. */
export interface Packet {
  readonly hook: "forward" | "input";
  readonly iifname: string;
  /** Undefined where the machine has no default route. */
  readonly oifname: string | undefined;
  readonly saddr: string;
  readonly daddr: string;
  readonly protocol: "tcp" | "udp";
  readonly sport: number;
  readonly dport: number;
  readonly state: "new" | "established";
  /** Of the destination, for this machine. */
  readonly addressType: "unicast" | "local" | "broadcast";
}

export interface Way {
  readonly bridge: string;
  readonly subnet: Subnet;
  /** The interface of the default route. */
  readonly uplink: string | undefined;
}

/** An address on the internet, and a port that a client has. */
const ELSEWHERE = "1.1.1.1";
const CLIENT_PORT = 40_000;

/** A connection of a container to another network, and the first answer. */
export function forwardedPackets({ bridge, subnet, uplink }: Way): Packet[] {
  const container = toText(toNumber(subnet.address) + 1);
  const common = { hook: "forward", protocol: "tcp", addressType: "unicast" } as const;
  const [out, back] = [
    { iifname: bridge, oifname: uplink, saddr: container, daddr: ELSEWHERE, sport: CLIENT_PORT, dport: 443 },
    {
      iifname: uplink ?? "",
      oifname: bridge,
      saddr: ELSEWHERE,
      daddr: container,
      sport: 443,
      dport: CLIENT_PORT,
    },
  ];
  // Without a default route nothing comes back either.
  if (uplink === undefined) return [{ ...common, ...out, state: "new" }];
  return [
    { ...common, ...out, state: "new" },
    { ...common, ...back, state: "established" },
  ];
}

/** A container asks for an address. */
export function dhcpPacket({ bridge }: Way): Packet {
  const addresses = { saddr: "0.0.0.0", daddr: "255.255.255.255", addressType: "broadcast" } as const;
  return { ...toThisMachine(bridge), ...addresses, sport: 68, dport: 67 };
}

/** A container asks for a name. */
export function dnsPacket({ bridge, subnet }: Way): Packet {
  const saddr = toText(toNumber(subnet.address) + 1);
  const addresses = { saddr, daddr: subnet.address, addressType: "local" } as const;
  return { ...toThisMachine(bridge), ...addresses, sport: CLIENT_PORT, dport: 53 };
}

function toThisMachine(bridge: string) {
  return { hook: "input", iifname: bridge, oifname: "", protocol: "udp", state: "new" } as const;
}
