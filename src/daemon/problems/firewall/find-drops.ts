import { runProgram } from "../../../base/processes/run-program.ts";
import type { Problem } from "../problem.ts";
import { parseIptables } from "./iptables-rules.ts";
import { parseNft } from "./nft-rules.ts";
import { dhcpPacket, dnsPacket, forwardedPackets, type Packet, type Way } from "./packets.ts";
import { type Chain, droppingChains, type Table } from "./rules.ts";

const TIMEOUT_MS = 5_000;

/** Where this machine's firewall drops what containers need. Whatever may accept a packet counts as accepting it. */
export async function findDrops(way: Way): Promise<Problem[]> {
  return dropsOf(await readTables(), way);
}

export function dropsOf(tables: readonly Table[], way: Way): Problem[] {
  const drops = (packets: readonly Packet[]) =>
    tables.flatMap((table) =>
      packets.flatMap((packet) => droppingChains(table, packet)).map((chain) => ({ table, chain })),
    );
  const forwarded = drops(forwardedPackets(way))[0];
  const dhcp = drops([dhcpPacket(way)])[0];
  const dns = drops([dnsPacket(way)])[0];
  const found: Problem[] = [];
  if (forwarded) {
    const what = `the firewall drops what containers send to other networks, or the answers (${placeOf(forwarded)})`;
    found.push({ area: "firewall", problem: what, advice: forwardAdvice(forwarded, way.bridge) });
  }
  const input = dhcp ?? dns;
  if (input) {
    const asked = [...(dhcp ? ["addresses (DHCP)"] : []), ...(dns ? ["names (DNS)"] : [])].join(" and ");
    const what = `the firewall drops the requests of containers for ${asked} (${placeOf(input)})`;
    found.push({ area: "firewall", problem: what, advice: inputAdvice(input, way.bridge) });
  }
  return found;
}

interface Drop {
  readonly table: Table;
  readonly chain: Chain;
}

function placeOf({ table, chain }: Drop): string {
  const whose = table.chains.has("DOCKER-USER") ? ", which Docker sets up" : "";
  return `chain ${chain.name} of table ${table.name}${whose}`;
}

function forwardAdvice(drop: Drop, bridge: string): string {
  const { table, chain } = drop;
  const manager = managerOf(drop, bridge);
  if (manager) return manager.forward;
  if (isOfIptables(table)) {
    const into = table.chains.has("DOCKER-USER") ? "DOCKER-USER" : chain.name;
    const back = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
    return `iptables -I ${into} -i ${bridge} -j ACCEPT; iptables -I ${into} -o ${bridge} ${back}`;
  }
  const insert = `nft insert rule ${table.name} ${chain.name}`;
  return `${insert} iifname ${bridge} accept; ${insert} oifname ${bridge} ct state established,related accept`;
}

function inputAdvice(drop: Drop, bridge: string): string {
  const { table, chain } = drop;
  const manager = managerOf(drop, bridge);
  if (manager) return manager.input;
  if (isOfIptables(table)) {
    const insert = (protocol: string, ports: string) =>
      `iptables -I ${chain.name} -i ${bridge} -p ${protocol} -m multiport --dports ${ports} -j ACCEPT`;
    return `${insert("udp", "53,67")}; ${insert("tcp", "53")}`;
  }
  const insert = `nft insert rule ${table.name} ${chain.name} iifname ${bridge}`;
  return `${insert} udp dport '{ 53, 67 }' accept; ${insert} tcp dport 53 accept`;
}

/** The commands of a program that writes the rules: it would remove others at its next start. */
function managerOf({ table, chain }: Drop, bridge: string) {
  if (table.name.endsWith("firewalld")) {
    const trust = `firewall-cmd --permanent --zone=trusted --change-interface=${bridge}; firewall-cmd --reload`;
    return { forward: trust, input: trust };
  }
  const isUfw = [...table.chains.keys()].some((name) => name.startsWith("ufw-"));
  if (!isUfw || !(chain.name === "FORWARD" || chain.name === "INPUT")) return undefined;
  // Docker's own chain is before those of ufw.
  if (chain.name === "FORWARD" && table.chains.has("DOCKER-USER")) return undefined;
  const forward = `ufw route allow in on ${bridge}; ufw route allow out on ${bridge}`;
  return { forward, input: `ufw allow in on ${bridge}` };
}

/** Rules of iptables are in nftables too, where most machines keep them. */
function isOfIptables({ program, name, chains }: Table): boolean {
  return program === "iptables" || (name === "ip filter" && chains.has("FORWARD"));
}

/** The rules of iptables, which its own programs print whole, then those of nftables. */
async function readTables(): Promise<Table[]> {
  const print = (program: string, ...args: string[]) =>
    runProgram(program, args, { timeoutMs: TIMEOUT_MS }).catch(() => "");
  const [nft, ...iptables] = await Promise.all([
    print("nft", "-j", "list", "ruleset"),
    ...["iptables-save", "iptables-legacy-save"].map((program) => print(program)),
  ]);
  return [...iptables.flatMap(parseIptables), ...(nft ? parseNft(nft) : [])];
}
