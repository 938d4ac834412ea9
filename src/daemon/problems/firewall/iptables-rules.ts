import { isIPv4 } from "node:net";
import { overlaps } from "../../supervisor/network/subnet.ts";
import type { Packet } from "./packets.ts";
import { type Answer, type Chain, every, not, type Rule, some, type Table, type Verdict } from "./rules.ts";

const HOOKS: Readonly<Record<string, string>> = { FORWARD: "forward", INPUT: "input" };
/** Modules whose options are read, or that always match. */
const KNOWN_MODULES = new Set(["comment", "conntrack", "state", "tcp", "udp", "multiport"]);
/** Targets after which the next rule is looked at. */
const WITHOUT_VERDICT = new Set([
  "LOG",
  "NFLOG",
  "ULOG",
  "MARK",
  "CONNMARK",
  "TCPMSS",
  "CT",
  "NOTRACK",
  "SET",
]);

type Condition = (packet: Packet) => Answer;

/** Reads what `iptables-save` prints. */
export function parseIptables(text: string): Table[] {
  const tables: Table[] = [];
  let chains = new Map<string, Chain>();
  for (const line of text.split("\n")) {
    const [first = "", ...words] = wordsOf(line);
    if (first.startsWith("*")) {
      chains = new Map();
      tables.push({ program: "iptables", name: first.slice(1), chains });
    } else if (first.startsWith(":")) {
      const name = first.slice(1);
      chains.set(name, {
        name,
        rules: [],
        hook: HOOKS[name],
        policy: words[0] === "DROP" ? "drop" : "accept",
      });
    } else if (first === "-A") {
      chains.get(words[0] ?? "")?.rules.push(ruleOf(words.slice(1), chains));
    }
  }
  return tables;
}

/** The words of a line; quoted ones are one word. */
function wordsOf(line: string): string[] {
  return (line.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ""));
}

function ruleOf(words: readonly string[], chains: ReadonlyMap<string, Chain>): Rule {
  const conditions: Condition[] = [];
  let verdict: Verdict = { kind: "continue" };
  for (let at = 0; at < words.length; ) {
    const negated = words[at] === "!";
    if (negated) at++;
    const option = words[at] ?? "";
    const value = words[at + 1] ?? "";
    if (option === "-j" || option === "-g") {
      // What follows are options of the target.
      verdict = verdictOf(value, option === "-g", chains);
      break;
    }
    const takesValue = value !== "!" && !/^--?[a-zA-Z]/.test(value);
    const condition = conditionOf(option, value);
    conditions.push(negated ? (packet) => not(condition(packet)) : condition);
    at += takesValue ? 2 : 1;
  }
  return { matches: (packet) => every(conditions.map((each) => each(packet))), verdict: () => verdict };
}

function verdictOf(target: string, isGoto: boolean, chains: ReadonlyMap<string, Chain>): Verdict {
  if (chains.has(target)) return { kind: isGoto ? "goto" : "jump", chain: target };
  switch (target) {
    case "ACCEPT":
      return { kind: "accept" };
    case "DROP":
    case "REJECT":
      return { kind: "drop" };
    case "RETURN":
      return { kind: "return" };
    default:
      return { kind: WITHOUT_VERDICT.has(target) ? "continue" : "unknown" };
  }
}

function conditionOf(option: string, value: string): Condition {
  switch (option) {
    case "-i":
      return ({ iifname }) => isInterface(value, iifname);
    case "-o":
      return ({ oifname }) => isInterface(value, oifname);
    case "-s":
      return ({ saddr }) => isInNetwork(value, saddr);
    case "-d":
      return ({ daddr }) => isInNetwork(value, daddr);
    case "-p":
      return ({ protocol }) => value === "all" || value.toLowerCase() === protocol;
    case "-m":
      return () => (KNOWN_MODULES.has(value) ? true : undefined);
    case "--comment":
      return () => true;
    case "--ctstate":
    case "--state":
      return ({ state }) => value.split(",").includes(state.toUpperCase());
    case "--dport":
    case "--dports":
      return ({ dport }) => isPort(value, dport);
    case "--sport":
    case "--sports":
      return ({ sport }) => isPort(value, sport);
    default:
      return () => undefined;
  }
}

function isInterface(pattern: string, name: string | undefined): Answer {
  if (name === undefined) return undefined;
  return pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function isInNetwork(network: string, address: string): Answer {
  return some(
    network.split(",").map((each) => {
      const [base = "", length = "32"] = each.split("/");
      if (!isIPv4(base) || !/^\d+$/.test(length)) return undefined;
      return overlaps({ address: base, prefix: Number(length) }, { address, prefix: 32 });
    }),
  );
}

function isPort(ports: string, port: number): Answer {
  return some(
    ports.split(",").map((each) => {
      const [first = Number.NaN, last = first] = each.split(":").map(Number);
      return Number.isNaN(first) ? undefined : port >= first && port <= last;
    }),
  );
}
