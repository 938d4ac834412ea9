import { isIPv6 } from "node:net";
import { isLoopback } from "./loopback.ts";

/** Of an address of IPv6 so many groups of 16 bits are the network: whoever has one address has them all. */
const NETWORK_GROUPS = 4;

/** The network of an address, as far as one peer can choose among its addresses: an IPv4 address, a /64 of IPv6, or this machine. */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return "nowhere";
  const [plain = ""] = address.split("%", 1);
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain) ?? [];
  // Every user of the machine may call from all of 127.0.0.0/8.
  if (isLoopback(mapped ?? plain)) return "loopback";
  if (mapped !== undefined || !isIPv6(plain)) return mapped ?? plain;
  const halves = plain.split("::", 2).map((part) => part.split(":").filter((group) => group !== ""));
  const [head = [], tail] = halves;
  const groups = tail === undefined ? head : [...head, ...zeros(8 - head.length - tail.length), ...tail];
  return `${groups.slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

function zeros(count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, () => "0");
}
