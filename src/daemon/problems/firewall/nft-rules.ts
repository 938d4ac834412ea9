import { isIPv4 } from "node:net";
import { overlaps, toNumber } from "../../supervisor/network/subnet.ts";
import type { Packet } from "./packets.ts";
import { type Answer, type Chain, every, not, type Rule, some, type Table, type Verdict } from "./rules.ts";

/** Values of the JSON of libnftables (libnftables-json(5)); other versions have more. */
type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** The families whose rules see IPv4. */
const FAMILIES = ["ip", "inet"];
/** They decide nothing and match every packet. */
const WITHOUT_EFFECT = new Set(["counter", "log", "comment", "mangle", "notrack", "meter", "set", "flow"]);

/** Headers that no packet has that is looked at, apart from that of the other of tcp and udp. */
const OTHER_HEADERS = new Set([
  "tcp",
  "udp",
  "udplite",
  "sctp",
  "dccp",
  "icmp",
  "icmpv6",
  "ip6",
  "arp",
  "esp",
  "ah",
]);

/** The sets and maps of a table by name. */
type Sets = ReadonlyMap<string, Json>;

/** Reads what `nft -j list ruleset` prints. */
export function parseNft(text: string): Table[] {
  const { nftables = [] } = JSON.parse(text) as { nftables?: readonly JsonObject[] };
  const of = (kind: string) => nftables.flatMap((each) => (isObject(each[kind]) ? [each[kind]] : []));
  return of("table")
    .filter(({ family }) => FAMILIES.includes(String(family)))
    .map((table) => {
      const isIn = (each: JsonObject) => each.family === table.family && each.table === table.name;
      const sets: Sets = new Map(
        [...of("set"), ...of("map")].filter(isIn).map((set) => [String(set.name), set.elem ?? []]),
      );
      const chains = new Map(
        of("chain")
          .filter(isIn)
          .map((chain) => [String(chain.name), chainOf(chain)]),
      );
      for (const rule of of("rule").filter(isIn)) {
        chains.get(String(rule.chain))?.rules.push(ruleOf(rule.expr ?? [], sets));
      }
      return { program: "nft", name: `${table.family} ${table.name}`, chains };
    });
}

function chainOf({ name, hook, policy }: JsonObject): Chain {
  return {
    name: String(name),
    rules: [],
    hook: hook === undefined ? undefined : String(hook),
    policy: policy === "drop" ? "drop" : "accept",
  };
}

function ruleOf(expressions: Json, sets: Sets): Rule {
  const parts = (Array.isArray(expressions) ? expressions : []).filter(isObject);
  return {
    matches: (packet) => every(parts.map((part) => matches(part, packet, sets))),
    verdict: (packet) => {
      for (const part of parts) {
        const verdict = verdictOf(part, packet, sets);
        if (verdict.kind !== "continue") return verdict;
      }
      return { kind: "continue" };
    },
  };
}

function matches(part: JsonObject, packet: Packet, sets: Sets): Answer {
  if (isObject(part.match)) return isMatch(part.match, packet, sets);
  if (isKnownVerdict(part)) return true;
  const [kind = ""] = Object.keys(part);
  return WITHOUT_EFFECT.has(kind) ? true : undefined;
}

function isMatch({ op, left, right }: JsonObject, packet: Packet, sets: Sets): Answer {
  const value = placeValue(left, packet);
  if (value === undefined || right === undefined) return undefined;
  const found = contains(right, value, sets);
  if (op === "==" || op === "in") return found;
  return op === "!=" ? not(found) : undefined;
}

function isKnownVerdict(part: JsonObject): boolean {
  return ["accept", "drop", "reject", "return", "continue", "jump", "goto", "vmap"].some(
    (kind) => kind in part,
  );
}

function verdictOf(part: JsonObject, packet: Packet, sets: Sets): Verdict {
  if (isObject(part.jump)) return { kind: "jump", chain: String(part.jump.target) };
  if (isObject(part.goto)) return { kind: "goto", chain: String(part.goto.target) };
  if ("accept" in part) return { kind: "accept" };
  if ("drop" in part || "reject" in part) return { kind: "drop" };
  if ("return" in part) return { kind: "return" };
  if (isObject(part.vmap)) return mapped(part.vmap, packet, sets);
  // A target of iptables, or what a newer version of nftables has.
  const [kind = ""] = Object.keys(part);
  return kind === "queue" || (isObject(part.xt) && part.xt.type === "target")
    ? { kind: "unknown" }
    : { kind: "continue" };
}

function mapped({ key, data }: JsonObject, packet: Packet, sets: Sets): Verdict {
  const value = placeValue(key, packet);
  const elements = elementsOf(data, sets);
  if (value === undefined || !elements) return { kind: "unknown" };
  for (const element of elements) {
    if (!Array.isArray(element) || !isObject(element[1])) return { kind: "unknown" };
    const found = contains(element[0], value, sets);
    if (found === undefined) return { kind: "unknown" };
    if (found) return verdictOf(element[1], packet, sets);
  }
  return { kind: "continue" };
}

/** What a packet has at a place; undefined where that is not known. */
function placeValue(place: Json | undefined, packet: Packet): string | number | undefined {
  if (!isObject(place)) return undefined;
  const { meta, ct, payload, fib } = place;
  if (isObject(meta)) return metaOf(String(meta.key), packet);
  if (isObject(ct)) return { state: packet.state, mark: 0, status: "" }[String(ct.key)];
  if (isObject(fib)) return fib.result === "type" ? packet.addressType : undefined;
  if (!isObject(payload)) return undefined;
  const { saddr, daddr, sport, dport, protocol } = packet;
  switch (payload.protocol) {
    case "ip":
      return { saddr, daddr, protocol, version: 4 }[String(payload.field)];
    case "th":
    case protocol:
      return { sport, dport }[String(payload.field)];
    default:
      // What has another header is not this packet.
      return OTHER_HEADERS.has(String(payload.protocol)) ? "" : undefined;
  }
}

function metaOf(
  key: string,
  { iifname, oifname, protocol, addressType }: Packet,
): string | number | undefined {
  const pkttype = addressType === "broadcast" ? "broadcast" : "host";
  const known: Record<string, string | number | undefined> = {
    iifname,
    iif: iifname,
    oifname,
    oif: oifname,
    pkttype,
    l4proto: protocol,
    nfproto: "ipv4",
    protocol: "ip",
    mark: 0,
  };
  return known[key];
}

/** Whether a value is one of those on the right of a comparison. */
function contains(right: Json | undefined, value: string | number, sets: Sets): Answer {
  if (typeof right === "number") return value === right;
  if (typeof right === "string" && !right.startsWith("@")) return isSameText(right, value);
  const elements = elementsOf(right, sets);
  if (elements) return some(elements.map((each) => contains(each, value, sets)));
  if (!isObject(right)) return undefined;
  const { prefix, range, elem } = right;
  if (isObject(elem)) return contains(elem.val, value, sets);
  if (isObject(prefix)) return isInPrefix(prefix, value);
  if (Array.isArray(range)) return isInRange(range, value);
  return undefined;
}

function elementsOf(set: Json | undefined, sets: Sets): readonly Json[] | undefined {
  if (typeof set === "string" && set.startsWith("@")) return elementsOf(sets.get(set.slice(1)), sets);
  if (Array.isArray(set)) return set;
  return isObject(set) && Array.isArray(set.set) ? set.set : undefined;
}

function isSameText(text: string, value: string | number): Answer {
  if (text.endsWith("*")) return String(value).startsWith(text.slice(0, -1));
  return text === String(value);
}

function isInPrefix({ addr, len }: JsonObject, value: string | number): Answer {
  if (typeof addr !== "string" || typeof len !== "number") return undefined;
  const address = String(value);
  if (!isIPv4(addr) || !isIPv4(address)) return false;
  return overlaps({ address: addr, prefix: len }, { address, prefix: 32 });
}

function isInRange([first, last]: readonly Json[], value: string | number): Answer {
  const number = (each: Json | undefined) =>
    typeof each === "string" && isIPv4(each) ? toNumber(each) : typeof each === "number" ? each : undefined;
  const [from, to, at] = [number(first), number(last), number(value)];
  if (from === undefined || to === undefined) return undefined;
  return at !== undefined && at >= from && at <= to;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
