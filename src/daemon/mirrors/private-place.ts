import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { parseAptUri } from "./apt-uri.ts";

const LOOKUP_TIMEOUT_MS = 3_000;

const ownAddresses = new BlockList();
ownAddresses.addSubnet("0.0.0.0", 8);
ownAddresses.addSubnet("127.0.0.0", 8);
ownAddresses.addSubnet("169.254.0.0", 16);
ownAddresses.addAddress("::", "ipv6");
ownAddresses.addAddress("::1", "ipv6");
ownAddresses.addSubnet("fe80::", 10, "ipv6");

/** Returns the addresses of a name; none if it has none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/**
 * Whether a place must not be named in a container: one with credentials, one that is no web server, and one that only
 * this machine can reach or name, such as localhost, a file, or a name without a domain.
 */
export async function isPrivatePlace(uri: string, resolve: Resolve = resolveName): Promise<boolean> {
  const { scheme, credentials, host } = parseAptUri(uri);
  if (!/^https?:$/.test(scheme) || credentials !== "") return true;
  if (isIP(host)) return isOwnAddress(host);
  // The machine's search domain does not apply in containers.
  if (!host.includes(".") || /\.(localhost|localdomain|local|onion)$/.test(host)) return true;
  return (await resolve(host)).some(isOwnAddress);
}

function isOwnAddress(address: string): boolean {
  return ownAddresses.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** A name that does not resolve here may still be known to a proxy. */
async function resolveName(host: string): Promise<readonly string[]> {
  const late = new Promise<[]>((resolve) => setTimeout(() => resolve([]), LOOKUP_TIMEOUT_MS).unref());
  const found = lookup(host, { all: true }).catch(() => []);
  return (await Promise.race([found, late])).map(({ address }) => address);
}
