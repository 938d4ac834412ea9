import { type LookupAddress, lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { TremplinError } from "../base/tremplin-error.ts";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

/** Whether a text is an IP address of the loopback interface, in any of its forms. */
export function isLoopback(text: string): boolean {
  const family = isIP(text);
  return family !== 0 && loopback.check(text, family === 4 ? "ipv4" : "ipv6");
}

/**
 * Resolves `localhost` for a socket to the addresses that are on the loopback interface. Fails with `invalid` where the
 * name is another machine.
 */
export const lookupLoopback: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const fail = (reason: TremplinError): void => done(reason, "");
    if (error)
      return fail(new TremplinError("invalid", `cannot resolve ${hostname}: write 127.0.0.1 instead`, error));
    const local = found.filter(({ address }) => isLoopback(address));
    const [first] = local;
    if (!first) return fail(notLocal(hostname, found));
    return options.all ? done(null, local) : done(null, first.address, first.family);
  });
};

/** The address behind a local host, for a server to listen on. Rejects like lookupLoopback. */
export async function loopbackAddress(host: string): Promise<string> {
  if (isIP(host)) return host;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  lookupLoopback(host, {}, (error, address) => (error ? reject(error) : resolve(address as string)));
  return await promise;
}

function notLocal(hostname: string, found: readonly LookupAddress[]): TremplinError {
  const others = found.map(({ address }) => address).join(", ");
  return new TremplinError(
    "invalid",
    `${hostname} is ${others} here, which is not on the loopback interface: correct /etc/hosts, or write 127.0.0.1`,
  );
}
