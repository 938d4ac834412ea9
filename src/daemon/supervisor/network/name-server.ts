import { runProgram } from "../../../base/processes/run-program.ts";
import { formatSubnet, type Subnet } from "./subnet.ts";

const TIMEOUT_MS = 5_000;

/** A socket that waits on a port of this machine. */
export interface ListeningSocket {
  /** As `ss` prints it: 10.0.0.1%lxdbr0, 0.0.0.0 or *. */
  readonly address: string;
  readonly port: number;
  /** The name and the id of the process; empty where it is not known. */
  readonly process: string;
  readonly pid: number | undefined;
}

/** All sockets that wait for IPv4 on this machine. */
export async function listeningSockets(): Promise<ListeningSocket[]> {
  const args = ["--no-header", "--listening", "--numeric", "--processes", "--tcp", "--udp"];
  return parseSockets(await runProgram("ss", args, { timeoutMs: TIMEOUT_MS }));
}

export function parseSockets(text: string): ListeningSocket[] {
  return text.split("\n").flatMap((line) => {
    const [, , , , local = ""] = line.trim().split(/\s+/);
    const port = Number(local.slice(local.lastIndexOf(":") + 1));
    if (!(port > 0)) return [];
    const [, process = "", pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(line) ?? [];
    const address = local.slice(0, local.lastIndexOf(":"));
    return [{ address, port, process, pid: pid === undefined ? undefined : Number(pid) }];
  });
}

/** What is wrong with the DHCP and DNS server of a bridge, and what helps. */
export interface ServerFault {
  readonly problem: string;
  readonly advice: string;
}

/**
 * Why containers on a bridge get no addresses and no names: its server does not run, perhaps because another one has
 * its port. Undefined while it runs. The engine starts it again within a minute, and at its own start.
 */
export function serverFault(
  bridge: string,
  subnet: Subnet,
  sockets: readonly ListeningSocket[],
): ServerFault | undefined {
  if (sockets.some(({ address, port }) => address.endsWith(`%${bridge}`) && (port === 53 || port === 67))) {
    return undefined;
  }
  return (
    usedPort(bridge, subnet, sockets) ?? {
      problem: `no server for addresses (DHCP) and names (DNS) runs on ${bridge}`,
      advice: "sudo tremplin down; sudo tremplin up; the engine's log has the reason",
    }
  );
}

/** Who else waits on the port for names at a bridge's address, so that its server cannot run; undefined: nobody. */
export function usedPort(
  bridge: string,
  subnet: Subnet,
  sockets: readonly ListeningSocket[],
): ServerFault | undefined {
  const everywhere = ["0.0.0.0", "*", subnet.address];
  const holder = sockets.find(({ address, port }) => port === 53 && everywhere.includes(address));
  if (!holder) return undefined;
  const { process, pid } = holder;
  const who = pid === undefined ? "another program" : `${process} (process ${pid})`;
  const problem = `${who} has port 53 on ${holder.address}, so the server for addresses (DHCP) and names (DNS) of ${bridge} (${formatSubnet(subnet)}) cannot run`;
  return {
    problem,
    advice: `${releaseOf(process, bridge, subnet)}; then sudo tremplin down; sudo tremplin up`,
  };
}

/** How the well-known name servers leave the address of a bridge alone. */
function releaseOf(process: string, bridge: string, { address }: Subnet): string {
  switch (process) {
    case "dnsmasq":
      return `put bind-dynamic and except-interface=${bridge} into a file in /etc/dnsmasq.d, systemctl restart dnsmasq`;
    case "named":
      return `put listen-on { !${address}; any; }; into the options of named, systemctl restart named`;
    case "unbound":
      return "give unbound its addresses by interface: lines, none of them 0.0.0.0, systemctl restart unbound";
    default:
      return `let it wait on other addresses than ${address} and 0.0.0.0, or stop it`;
  }
}
